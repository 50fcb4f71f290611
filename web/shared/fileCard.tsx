/** Files of messages, as the panel and the widget display them. */
import type { ComponentChildren } from "preact";
import type { FileAttachment } from "./apiTypes";
import { toSafeUrl } from "./linkify";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/** A size such as "1.4 MB" in a language. */
export function formatBytes(bytes: number, locale: string): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const format = new Intl.NumberFormat(locale, {
    style: "unit",
    unit: UNITS[power] as string,
    unitDisplay: power ? "short" : "long",
    maximumFractionDigits: power > 1 ? 1 : 0,
  });
  return format.format(bytes / 1000 ** power);
}

const hasExpired = (file: FileAttachment): boolean =>
  file.expires_at !== null && Date.parse(file.expires_at) <= Date.now();

interface FileCardProps {
  file: FileAttachment;
  locale: string;
  icon: ComponentChildren;
  /** What is shown in place of a file whose content was deleted. */
  expiredText: string;
}

/** A file of a message: a player for recordings, a link for everything else. */
export function FileCard({ file, locale, icon, expiredText }: FileCardProps) {
  const href = toSafeUrl(file.url, location.href);
  if (!href) return null;
  const details = (
    <>
      {icon}
      <span class="file-name" dir="auto">
        {file.name}
      </span>
      <span class="file-size">{hasExpired(file) ? expiredText : formatBytes(file.size, locale)}</span>
    </>
  );
  if (hasExpired(file)) return <span class="file-card expired">{details}</span>;
  const link = (
    <a class="file-card" href={href} download={file.name} target="_blank" rel="noopener noreferrer nofollow">
      {details}
    </a>
  );
  if (file.kind !== "audio" && file.kind !== "video") return link;
  const Player = file.kind;
  return (
    <div class="file-player">
      {/* What people record has no captions. */}
      <Player src={href} controls preload="metadata" aria-label={file.name} />
      {link}
    </div>
  );
}
