//! What the tests need beside cargo, as a table, and the words about what is missing.

use crate::rights::{NETWORK_NAMESPACES, NETWORK_TAPS};

/// A program that some tests start, or a right that they use.
#[derive(Debug)]
pub(crate) struct Need {
    /// The executable, the module of nginx or the right that is looked for, and the name under which tests find it in
    /// `DOORBUSTER_WITHOUT`.
    pub(crate) program: &'static str,
    /// Who brings it.
    pub(crate) installer: Installer,
    /// What the installer is to install: names, for pip and npm with a version (`moto[server]==5.2.0`). Of a right, in words,
    /// what it takes.
    pub(crate) packages: &'static [&'static str],
    /// The tests that are left out without it. Empty: those that look for the program by name.
    pub(crate) tests: &'static [&'static str],
}

/// Every need. A further one is a further row.
pub(crate) const NEEDS: &[Need] = &[
    Need {
        program: "nginx",
        installer: Installer::Debian,
        packages: &["nginx-light"],
        tests: &[
            "counts_nginx",
            "counts_nginx_closed",
            "cookies_beyond_those_that_are_looked_at_are_counted",
            "tls_http2_and_client_certificates",
            "tls_goes_through_a_proxy_s_tunnel",
            "a_freeze_is_what_the_reference_says",
            "nginx_as_an_edge_is_judged_as_it_is_configured",
            "letters_go_over_tls_to_whom_this_system_trusts",
            "audits_over_tls_keep_their_distance_on_the_wire",
            "what_is_asked_without_tls_carries_no_cookie_of_the_gate",
        ],
    },
    Need {
        program: "ngx_http_brotli_filter_module.so",
        installer: Installer::Debian,
        packages: &["libnginx-mod-http-brotli-filter"],
        tests: &["nginx_as_an_edge_is_judged_as_it_is_configured"],
    },
    Need {
        program: "varnishd",
        installer: Installer::Debian,
        packages: &["varnish"],
        tests: &["varnish_as_an_edge_is_judged_as_it_is_configured"],
    },
    Need {
        program: "postgres",
        installer: Installer::Debian,
        packages: &["postgresql"],
        tests: &[
            "every_case_on_postgresql",
            "what_was_acknowledged_survives_on_postgresql",
            "a_database_that_is_stopped_and_started_again_is_waited_out",
        ],
    },
    Need {
        program: "openssl",
        installer: Installer::Debian,
        packages: &["openssl"],
        tests: &[
            "tls_http2_and_client_certificates",
            "tls_goes_through_a_proxy_s_tunnel",
            "a_freeze_is_what_the_reference_says",
            "audits_over_tls_keep_their_distance_on_the_wire",
            "what_is_asked_without_tls_carries_no_cookie_of_the_gate",
            "letters_go_over_tls_to_whom_this_system_trusts",
        ],
    },
    Need {
        program: "prometheus-alertmanager",
        installer: Installer::Debian,
        packages: &["prometheus-alertmanager"],
        tests: &[
            "a_real_alertmanager_keeps_an_alert_firing_until_it_is_over",
            "a_real_alertmanager_tells_of_a_test_once",
        ],
    },
    Need {
        program: "ministack",
        installer: Installer::Pip,
        packages: &["ministack==1.5.33", "cbor2==6.3.0"],
        tests: &[
            "sns_delivers_a_test_to_its_subscribers",
            "percentiles_come_back_right_and_alarms_follow_burn_rates",
            "a_balancer_s_counts_are_read_from_cloudwatch",
            "alarms_are_put_where_they_belong",
            "a_bucket_is_emptied_with_all_its_versions",
            "a_fleet_goes_up_counts_exactly_and_leaves_nothing",
            "what_is_invoked_twice_or_late_sends_nothing",
            "probes_go_on_without_a_coordinator",
            "what_an_attempt_left_behind_is_removed_first",
            "a_command_about_one_region_leaves_the_others_what_they_share",
            "a_bucket_of_ministack_behaves",
            "ministack_says_whose_account_it_is",
        ],
    },
    Need {
        program: "cfn-lint",
        installer: Installer::Pip,
        packages: &["cfn-lint==1.58.0"],
        tests: &["templates_are_what_cloudformation_takes"],
    },
    Need {
        program: "checkov",
        installer: Installer::PipApart,
        packages: &["checkov==3.3.30"],
        tests: &["templates_follow_what_is_advised_or_say_why_not"],
    },
    Need {
        program: "jsonschema",
        installer: Installer::Debian,
        packages: &["python3-jsonschema"],
        tests: &["the_schema_knows_what_the_reader_knows"],
    },
    Need {
        program: "sqlite3",
        installer: Installer::Debian,
        packages: &["sqlite3"],
        tests: &[
            "twenty_crashes_lose_seconds_and_no_alert",
            "long_two_hundred_crashes_lose_seconds_and_no_alert",
        ],
    },
    Need {
        program: "ip",
        installer: Installer::Debian,
        packages: &["iproute2"],
        tests: &["thirty_agents_in_three_networks_of_which_one_is_cut_off_for_twenty_seconds"],
    },
    Need {
        program: NETWORK_NAMESPACES,
        installer: Installer::Nobody,
        packages: &["root, on a system with bridges and veth"],
        tests: &["thirty_agents_in_three_networks_of_which_one_is_cut_off_for_twenty_seconds"],
    },
    // Without these two the networks are as near as this machine is to itself.
    Need {
        program: "wirefilter",
        installer: Installer::Debian,
        packages: &["vde2"],
        tests: &["thirty_agents_in_three_networks_of_which_one_is_cut_off_for_twenty_seconds"],
    },
    Need {
        program: NETWORK_TAPS,
        installer: Installer::Nobody,
        packages: &["a /dev/net/tun that this user may open"],
        tests: &["thirty_agents_in_three_networks_of_which_one_is_cut_off_for_twenty_seconds"],
    },
    // The package brings Prometheus itself, too.
    Need {
        program: "promtool",
        installer: Installer::Debian,
        packages: &["prometheus"],
        tests: &[
            "promtool_finds_nothing_wrong_with_the_page",
            "prometheus_scrapes_the_server_and_gives_the_figures_back",
            "rules_are_right_and_fire_when_they_should",
        ],
    },
];

/// Who brings a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installer {
    /// `apt-get`, as root or through sudo.
    Debian,
    /// pip, into a virtual environment below `target/`.
    Pip,
    /// pip, into another one, for what wants other versions of the same libraries.
    PipApart,
    /// npm, into a folder below `target/`.
    Npm,
    /// Nobody: it is a right, which this system gives its user or does not.
    Nobody,
}

impl Installer {
    /// Those who install, in the order in which they run: Debian brings what the others need.
    pub(crate) const ALL: [Installer; 4] =
        [Installer::Debian, Installer::Pip, Installer::PipApart, Installer::Npm];

    fn name(self) -> &'static str {
        match self {
            Installer::Debian => "Debian",
            Installer::Pip | Installer::PipApart => "PyPI",
            Installer::Npm => "npm",
            Installer::Nobody => "not to be installed",
        }
    }
}

impl Need {
    /// The line before an installation.
    pub(crate) fn announcement(&self) -> String {
        format!("installing {} for: {}", self.source(), self.tests())
    }

    fn source(&self) -> String {
        format!("{} ({})", self.packages.join(" "), self.installer.name())
    }

    fn tests(&self) -> String {
        match self.tests {
            [] => format!("tests that ask for {}", self.program),
            named => named.join(", "),
        }
    }
}

/// The needs whose program `has` does not find.
pub(crate) fn missing(needs: &[Need], has: impl Fn(&str) -> bool) -> Vec<&Need> {
    needs.iter().filter(|need| !has(need.program)).collect()
}

/// The value of `DOORBUSTER_WITHOUT`: the missing programs, joined by commas.
pub(crate) fn without(missing: &[&Need]) -> String {
    missing.iter().map(|need| need.program).collect::<Vec<_>>().join(",")
}

/// What is missing, what would bring it, and which tests that leaves out: a heading and a line each.
pub(crate) fn left_out(missing: &[&Need]) -> String {
    let lines = missing
        .iter()
        .map(|need| format!("\n  {}, from {}; leaves out: {}", need.program, need.source(), need.tests()));
    std::iter::once("missing, and the tests that this leaves out:".to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[Need] = &[
        Need {
            program: "nginx",
            installer: Installer::Debian,
            packages: &["nginx-light", "libnginx-mod-http-echo"],
            tests: &["counts_nginx", "drains_nginx"],
        },
        Need { program: "python3", installer: Installer::Debian, packages: &["python3"], tests: &[] },
        Need { program: "moto", installer: Installer::Pip, packages: &["moto==5"], tests: &["fleet"] },
    ];

    #[test]
    fn what_is_missing_is_what_is_not_found() {
        let found = missing(SAMPLE, |program| program == "python3");
        assert_eq!(found.iter().map(|need| need.program).collect::<Vec<_>>(), ["nginx", "moto"]);
        assert!(missing(SAMPLE, |_| true).is_empty());
    }

    #[test]
    fn without_names_the_missing_programs() {
        assert_eq!(without(&missing(SAMPLE, |program| program == "python3")), "nginx,moto");
    }

    #[test]
    fn an_announcement_names_packages_source_and_tests() {
        assert_eq!(
            SAMPLE[0].announcement(),
            "installing nginx-light libnginx-mod-http-echo (Debian) for: counts_nginx, drains_nginx"
        );
        assert_eq!(SAMPLE[1].announcement(), "installing python3 (Debian) for: tests that ask for python3");
    }

    #[test]
    fn left_out_has_a_line_per_missing_program() {
        assert_eq!(
            left_out(&missing(SAMPLE, |program| program == "nginx")),
            "missing, and the tests that this leaves out:\n  \
             python3, from python3 (Debian); leaves out: tests that ask for python3\n  \
             moto, from moto==5 (PyPI); leaves out: fleet"
        );
    }

    #[test]
    fn every_row_can_stand_in_the_list_for_tests() {
        for (index, need) in NEEDS.iter().enumerate() {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            assert!(!need.program.is_empty() && need.program.chars().all(plain), "{need:?}");
            assert!(!need.packages.is_empty(), "{need:?} names no package");
            assert!(NEEDS[..index].iter().all(|earlier| earlier.program != need.program), "{need:?} twice");
        }
    }
}
