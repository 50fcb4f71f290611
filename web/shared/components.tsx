/** Parts that the panel and the widget display alike. */
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { linkify, toSafeUrl } from "./linkify";
import { type Block, type Inline, parseMarkdown } from "./markdown";

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

/** What the AI wrote: a safe subset of Markdown. `partial`: it is still being written. */
export function MarkdownText({ text, partial = false }: { text: string; partial?: boolean | undefined }) {
  const blocks = useMemo(() => parseMarkdown(text, partial), [text, partial]);
  return (
    <div class="markdown">
      <Blocks blocks={blocks} />
    </div>
  );
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return (
    <>
      {blocks.map((block, index) => (
        <MarkdownBlock key={index} block={block} />
      ))}
    </>
  );
}

function MarkdownBlock({ block }: { block: Block }) {
  switch (block.kind) {
    case "rule":
      return <hr />;
    case "code":
      return (
        <pre dir="ltr">
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return (
        <blockquote dir="auto">
          <Blocks blocks={block.children} />
        </blockquote>
      );
    case "list": {
      const items = block.items.map((item, index) => (
        <li key={index} dir="auto">
          <InlineNodes nodes={item.text} />
          <Blocks blocks={item.children} />
        </li>
      ));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case "table":
      return (
        <div class="table">
          <table>
            {[block.head, ...block.rows].map((cells, index) => (
              <TableRow key={index} cells={cells} isHead={index === 0} />
            ))}
          </table>
        </div>
      );
    default:
      // A heading of a message is none of the page.
      return (
        <p dir="auto">
          {block.kind === "heading" ? (
            <strong>
              <InlineNodes nodes={block.text} />
            </strong>
          ) : (
            <InlineNodes nodes={block.text} />
          )}
        </p>
      );
  }
}

function TableRow({ cells, isHead }: { cells: readonly Inline[][]; isHead: boolean }) {
  const Cell = isHead ? "th" : "td";
  return (
    <tr>
      {cells.map((nodes, index) => (
        <Cell key={index} dir="auto">
          <InlineNodes nodes={nodes} />
        </Cell>
      ))}
    </tr>
  );
}

function InlineNodes({ nodes, inLink = false }: { nodes: readonly Inline[]; inLink?: boolean }) {
  return (
    <>
      {nodes.map((node, index) => {
        if (typeof node === "string") return inLink ? node : <LinkifiedText key={index} text={node} />;
        if (node.kind === "code") return <code key={index}>{node.text}</code>;
        if (node.kind === "link") {
          return (
            <a key={index} href={node.href} {...EXTERNAL_LINK}>
              <InlineNodes nodes={node.children} inLink />
            </a>
          );
        }
        const Tag = node.kind;
        return (
          <Tag key={index}>
            <InlineNodes nodes={node.children} inLink={inLink} />
          </Tag>
        );
      })}
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
  /** It points along the line. */
  directional?: boolean;
}

/** An icon of strokes on a grid of 24 × 24, drawn in the text's colour. */
export function SvgIcon({ path, size, strokeWidth, directional }: SvgIconProps) {
  return (
    <svg
      class={directional ? "icon directional" : "icon"}
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

/** Makes a text field as high as its text, up to `maxHeight` pixels. */
export function useAutoHeight(field: RefObject<HTMLTextAreaElement>, text: string, maxHeight: number): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, maxHeight)}px`;
  }, [text]);
}
