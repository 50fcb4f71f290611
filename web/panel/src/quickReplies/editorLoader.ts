/** The editor, loaded when it is opened. */
import { lazy } from "../components/lazy";

export const QuickReplyEditor = lazy(() => import("./editor").then((module) => module.QuickReplyEditor));
