/** Loads the bulk bar when something is first selected. */
import { lazy } from "../components/lazy";

export const BulkBar = lazy(() => import("./bulkBar").then((module) => module.BulkBar));
