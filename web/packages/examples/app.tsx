/** A React application with the widget. */
import { ParleyWidget, useParley } from "@parley/react";
import { load } from "@parley/widget";

export const api = load({ siteKey: "pk_1", origin: "https://chat.example.com" });

export function HelpButton() {
  const { open, prefill } = useParley();
  return (
    <button
      type="button"
      onClick={() => {
        prefill("I need help with this page");
        open();
      }}
    >
      Help
    </button>
  );
}

export const App = () => (
  <>
    <HelpButton />
    <ParleyWidget
      siteKey="pk_1"
      origin="https://chat.example.com"
      theme="auto"
      hidden
      onUnread={({ count }) => {
        document.title = count ? `(${count}) Shop` : "Shop";
      }}
    />
  </>
);

// @ts-expect-error The server's origin is needed.
export const incomplete = <ParleyWidget siteKey="pk_1" />;
