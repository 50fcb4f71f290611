/** Loads the filter bar when it is first opened. */
import { lazy } from "../components/lazy";

export const FilterBar = lazy(() => import("./filterBar").then((module) => module.FilterBar));
