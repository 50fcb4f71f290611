/** The panel's icons: paths on a grid of 24 × 24. */
import { SvgIcon } from "../../../shared/components";

const PATHS = {
  chats: "M4 5h16v11H9l-5 4z",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.500a3.3 3.3 0 0 1 0 6.300M18 14.500c2 .8 3.2 2.6 3.5 5.5",
  globe:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3z",
  team: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.6-4.6 3.7-7 8-7s7.4 2.4 8 7",
  star: "M12 3.500l2.7 5.6 6.1.8-4.5 4.2 1.1 6.100L12 17.3 6.6 20.200l1.1-6.100L3.2 9.900l6.1-.8z",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  gear: "M12 15.200a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.400zM4 12c0-.6.1-1.2.2-1.800L2.5 8.600l2-3.4 2.3.7c.9-.7 1.9-1.3 3-1.600L10.4 2h4l.5 2.300c1.1.3 2.1.9 3 1.600l2.3-.7 2 3.4-1.7 1.600a8 8 0 0 1 0 3.600l1.7 1.6-2 3.4-2.3-.7c-.9.7-1.9 1.3-3 1.600l-.5 2.300h-4l-.6-2.300c-1.1-.3-2.1-.9-3-1.600l-2.3.7-2-3.4 1.7-1.600C4.1 13.2 4 12.6 4 12z",
  send: "M4 12l16-8-5 16-3-6.500zM12 13.500L20 4",
  image: "M4 5h16v14H4zM4 16l4.5-4.500L13 16l2.5-2.500L20 18M15.5 9.500h.01",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  clip: "M20 11.500l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700L9.700 17.200a1.700 1.700 0 0 1-2.400-2.400L15 7",
  microphone: "M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11a6 6 0 0 0 12 0M12 17v4",
  stop: "M7 7h10v10H7z",
  mail: "M3 6h18v12H3zM3 7l9 6.500L21 7",
  note: "M5 4h14v10l-5 6H5zM14 20v-6h5M8.5 8.500h7M8.5 12h4",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.500l4.5 4.500L19 7.5",
  checks: "M2.5 12.500l4.5 4.500L16 7.500M12.5 16.500l.5.5 9-9.5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  transfer: "M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4",
  robot:
    "M5 9h14v10H5zM12 9V5M12 4.500h.01M9 13.500h.01M15 13.500h.01M9.5 16.500h5M2.5 12.500v3M21.5 12.500v3",
  block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.7 5.700l12.6 12.6",
  done: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.300l2.8 2.700L16 9.5",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01",
  language:
    "M3 6h10M8 4v2M11 6c-.7 4-3.4 7-7 8.500M5.5 9.500c1 2 3 3.7 5.5 4.500M12.5 20L17 10l4.5 10M14 17h6",
  back: "M15 5l-7 7 7 7",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2.500M12 19.500V22M2 12h2.500M19.5 12H22M5 5l1.7 1.700M17.3 17.300L19 19M5 19l1.7-1.700M17.3 6.700L19 5",
  moon: "M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500z",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.500h4",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M18 10h.01M8 14h8",
  retry: "M20 12a8 8 0 1 1-2.5-5.800M20 3v4.500h-4.5",
  plus: "M12 5v14M5 12h14",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
  pencil: "M4 20l1-4.500L16 4.500l3.5 3.500L8.5 19z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  logout: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  wave: "M5 13c0 5 3 7.5 7 7.500s7-3 7-7V7.500a1.5 1.5 0 0 0-3 0V11M16 10V5a1.5 1.5 0 0 0-3 0v5M13 10V4a1.5 1.5 0 0 0-3 0v7M10 11V6a1.5 1.5 0 0 0-3 0v8.500L5 13",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
  key: "M8 19a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 12l9-9M16 7l3 3",
  online: "M2.5 9.500a14 14 0 0 1 19 0M6 13a9 9 0 0 1 12 0M9.500 16.500a4 4 0 0 1 5 0M12 20h.01",
  offline:
    "M2.5 9.500a14 14 0 0 1 5-3.200M12 6a14 14 0 0 1 9.500 3.500M6 13a9 9 0 0 1 4-2.200M9.500 16.500a4 4 0 0 1 5 0M12 20h.01M4 3l16 17",
  spark:
    "M11 3l1.9 5.600L18.500 10.500l-5.600 1.900L11 18l-1.900-5.600L3.500 10.500l5.600-1.900zM18.500 15l.9 2.600 2.600.9-2.600.9-.9 2.600-.9-2.600-2.600-.9 2.600-.9z",
  bookmark: "M4 4h9l7 8-7 8H4z",
  filter: "M3 5h18l-7 8v6l-4 2v-8z",
  chart: "M4 4v16h16M8 17v-5M12 17V8M16 17v-7",
  bolt: "M13 3L5 14h6l-1 7 9-12h-6.500z",
} as const;

export type IconName = keyof typeof PATHS;

/** Mirrored in languages that are written from right to left. */
const DIRECTIONAL: readonly IconName[] = ["back", "list", "logout", "send"];

export const Icon = ({ name, size = 18 }: { name: IconName; size?: number }) => (
  <SvgIcon path={PATHS[name]} size={size} strokeWidth={1.7} directional={DIRECTIONAL.includes(name)} />
);

/** The product's logo: two speech bubbles. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" class="logo-background" />
      <path d="M8 9h11a4 4 0 0 1 4 4v1a4 4 0 0 1-4 4h-6l-5 4z" class="logo-bubble" />
      <path d="M25 14.500v7.500l-3-2.500h-6" class="logo-outline" fill="none" />
    </svg>
  );
}
