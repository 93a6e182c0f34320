import "./dependency.js";
