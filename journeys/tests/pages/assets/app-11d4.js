import "./vendor-77fe.js";
