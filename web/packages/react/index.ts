/** The Parley widget as a React component. */
import {
  EVENTS,
  type LoadOptions,
  load,
  type ParleyApi,
  type ParleyEvents,
  type ParleyTheme,
  parley,
} from "@parley/widget";
import { useEffect, useRef } from "react";

/** A listener for each event: `onMessage`, `onUnread` … */
type Listeners = {
  [E in keyof ParleyEvents as `on${Capitalize<E>}`]?: (detail: ParleyEvents[E]) => void;
};

export interface ParleyWidgetProps extends LoadOptions, Listeners {
  language?: string;
  theme?: ParleyTheme;
  /** Whether the page has a button of its own. */
  hidden?: boolean;
}

/** Adds the widget to the page while it is mounted. Displays nothing by itself. */
export function ParleyWidget(props: ParleyWidgetProps): null {
  const { siteKey, origin, colour, position, nonce, language, theme, hidden } = props;
  const current = useRef(props);
  current.current = props;
  useEffect(() => {
    load({
      siteKey,
      origin,
      ...(colour && { colour }),
      ...(position && { position }),
      ...(nonce && { nonce }),
    });
    for (const event of EVENTS) {
      const property = `on${event.charAt(0).toUpperCase()}${event.slice(1)}` as keyof Listeners;
      parley.on(event, (detail) =>
        (current.current[property] as ((detail: unknown) => void) | undefined)?.(detail),
      );
    }
    return () => parley.shutdown();
  }, [siteKey, origin, colour, position, nonce]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a widget that is started again has forgotten them.
  useEffect(() => {
    if (language) parley.setLanguage(language);
    if (theme) parley.setTheme(theme);
    if (hidden) parley.hide();
    else parley.show();
  }, [siteKey, origin, colour, position, nonce, language, theme, hidden]);
  return null;
}

/** The widget's commands, for any component: `useParley().open()`. */
export const useParley = (): ParleyApi => parley;
