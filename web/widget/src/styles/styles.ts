/** The launcher's style sheet, with what the chat window shares. `colours.ts` defines the variables. */

export const launcherStyles = `
:host([hidden]),[hidden]{display:none!important}
:host{all:initial;position:fixed;z-index:2147483000;inset-block-end:0;inset-inline-end:0}
*,*::before,*::after{box-sizing:border-box}
.root{font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--text)}
p{margin:0}
button{font:inherit;color:inherit;cursor:pointer;border:0;background:none}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.launcher{position:fixed;inset-block-end:20px;inset-inline-end:20px;display:grid;place-items:center;width:58px;height:58px;
border-radius:50%;background:var(--accent);color:var(--on-accent);box-shadow:0 2px 6px rgb(0 0 0/18%),0 8px 24px rgb(0 0 0/20%);transition:transform 140ms}
.launcher[aria-busy=true]{animation:wait 900ms ease-in-out infinite alternate}
@keyframes wait{to{opacity:.6}}
.launcher:hover{transform:scale(1.05)}
.launcher:focus-visible{outline-color:var(--text);outline-offset:3px}
.teaser,.load-notice{position:fixed;inset-block-end:92px;inset-inline-end:20px;max-width:min(300px,calc(100vw - 40px));padding:12px 16px;border-radius:16px;
border-end-end-radius:5px;background:var(--background);color:var(--text);text-align:start;overflow-wrap:anywhere;box-shadow:0 2px 8px rgb(0 0 0/14%),0 10px 30px rgb(0 0 0/16%)}
/* It stays in the accessibility tree: its text is announced when it comes. */
.load-notice:empty{opacity:0;pointer-events:none}
:host([left]) :is(.launcher,.teaser,.load-notice){inset-inline:20px auto}
.root.bare>.launcher,.root.bare .teaser{display:none}
@media print{:host{display:none!important}}
@media (prefers-reduced-motion:reduce){*{animation-duration:1ms!important;transition-duration:1ms!important}}
@media (forced-colors:active){.launcher{border:1px solid}}
`;
