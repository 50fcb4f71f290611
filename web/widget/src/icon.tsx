/** An icon of the chat window. */
import { SvgIcon } from "../../shared/components";
import { PATHS } from "./iconPaths";

export const Icon = ({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) => (
  <SvgIcon path={PATHS[name]} size={size} strokeWidth={1.8} />
);
