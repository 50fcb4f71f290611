/** Parts that the panel and the widget display alike. */
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { linkify, toSafeUrl } from "./linkify";

const EXTERNAL_LINK = { target: "_blank", rel: "noopener noreferrer nofollow" } as const;

/** A user's text: line breaks and links, never markup. */
export function LinkifiedText({ text }: { text: string }) {
  return (
    <>
      {linkify(text).map((part, index) =>
        part.href ? (
          <a key={index} href={part.href} {...EXTERNAL_LINK}>
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
    </>
  );
}

/** An image of a message, linked to its full size. Displays nothing for a URL that is not safe. */
export function MessageImage({ url, alt }: { url: string; alt: string }) {
  const href = toSafeUrl(url, location.href);
  if (!href) return null;
  return (
    <a class="message-image" href={href} {...EXTERNAL_LINK}>
      <img src={href} alt={alt} loading="lazy" />
    </a>
  );
}

export function TypingDots() {
  return (
    <span class="typing-dots" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}

interface SvgIconProps {
  path: string;
  size: number;
  strokeWidth: number;
}

/** An icon of strokes on a grid of 24 × 24, drawn in the text's colour. */
export function SvgIcon({ path, size, strokeWidth }: SvgIconProps) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={strokeWidth}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}

export const ACCEPTED_IMAGES = "image/png,image/jpeg,image/gif,image/webp";

/** The first image among files that were chosen, pasted or dropped. */
export const findImage = (files: FileList | null | undefined): File | undefined =>
  [...(files ?? [])].find((file) => file.type.startsWith("image/"));

/** Makes a text field as high as its text, up to `maxHeight` pixels. */
export function useAutoHeight(field: RefObject<HTMLTextAreaElement>, text: string, maxHeight: number): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, maxHeight)}px`;
  }, [text]);
}
