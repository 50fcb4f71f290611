/** The widget's icons: paths on a grid of 24 × 24. */

/** Those of the button. */
export const BUTTON_PATHS = { chat: "M4 5h16v11H9l-5 4z", down: "M5 9l7 7 7-7" } as const;

export const PATHS = {
  chat: BUTTON_PATHS.chat,
  down: BUTTON_PATHS.down,
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3-6.5zM12 13.5L20 4",
  image: "M4 5h16v14H4zM4 16l4.5-4.5L13 16l2.5-2.500L20 18M15.5 9.500h.01",
  clip: "M20 11.5l-8 8a5 5 0 0 1-7-7L13.500 4a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400L15 7",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  microphone: "M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11a6 6 0 0 0 12 0M12 17v4",
  sound: "M4 9v6h4l5 4V5L8 9zM16.5 9a4 4 0 0 1 0 6",
  mute: "M4 9v6h4l5 4V5L8 9zM17 10l4 4M21 10l-4 4",
  exit: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.6-4.6 3.7-7 8-7s7.4 2.4 8 7",
} as const;
