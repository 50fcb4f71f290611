/** The style sheet of a trigger's message, in addition to the launcher's styles of teasers. */

export const triggerStyles = `
.trigger{animation:appear 200ms ease-out}
@keyframes appear{from{opacity:0;transform:translateY(8px)}}
.trigger .teaser-text{padding:0;text-align:start;overflow-wrap:anywhere}
.trigger .teaser-close{position:absolute;inset-block-start:-10px;inset-inline-end:-8px;display:grid;place-items:center;width:26px;height:26px;padding:0;
border:1px solid var(--border);border-radius:50%;background:var(--background)}
.teaser-replies{display:flex;flex-wrap:wrap;gap:6px;margin-top:10px}
.teaser-replies>*{display:inline-flex;gap:7px;align-items:center;min-height:34px;padding:0 14px;border:1px solid var(--control-border);border-radius:17px;
font-size:14px;color:inherit;text-decoration:none;overflow-wrap:anywhere}
.teaser-replies>:hover{background:var(--surface)}
.teaser-replies>a::after{content:" ↗";content:" ↗"/""}
.root.open .trigger{display:none}
@media (forced-colors:active){.trigger{border:1px solid}}
`;
