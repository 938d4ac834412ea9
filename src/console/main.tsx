import { render } from "preact";
import { live } from "./api/use-live.ts";
import { Console } from "./console.tsx";

const page = document.querySelector("#page");
if (page) render(<Console />, page);
await live.run();
