# An edge by Varnish as people set one up. The test makes every wrong one of it by changing a line or two; words in
# capitals are replaced.
vcl 4.1;
import std;

backend default {
    .host = "127.0.0.1";
    .port = "ORIGIN";
}

sub vcl_recv {
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.url ~ "^/(api|cart)(/|\?|$)") {
        return (pass);
    }
    # What follows visits changes no page, nor does the order of parameters.
    set req.url = regsuball(req.url, "([?&])(utm_[a-z]+|gclid|fbclid)=[^&]*", "\1");
    set req.url = regsub(std.querysort(req.url), "\?$", "");
    unset req.http.Cookie;
    return (hash);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    unset beresp.http.Set-Cookie;
    if (beresp.status >= 400) {
        set beresp.ttl = 5s;
        set beresp.grace = 0s;
        return (deliver);
    }
    if (beresp.http.Content-Type ~ "^text/") {
        set beresp.do_gzip = true;
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
