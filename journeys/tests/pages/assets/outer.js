import { inner } from "./inner.js";
// import "./commented.js";
export { x } from "../js/re-exported.js";
if (inner) import("./dynamic.js");
