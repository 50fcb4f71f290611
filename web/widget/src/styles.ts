/** The widget's looks: one sheet of its own, and one made of the site's colours. */

const HEX = /^#[0-9a-f]{6}$/i;

/** Colours as the site has them, with ink that can be read on each. */
export function colours(wanted: { primary?: string; background?: string }): string {
  const primary = HEX.test(wanted.primary ?? "") ? (wanted.primary as string) : "#1d6b63";
  const ground = HEX.test(wanted.background ?? "") ? (wanted.background as string) : "#ffffff";
  const dark = brightness(ground) < 0.35;
  return `:host{--c:${primary};--on:${readable(primary)};--bg:${ground};--ink:${dark ? "#f2f5f4" : "#17211f"};
--soft:${dark ? "#b9c3c1" : "#55625f"};--tint:color-mix(in srgb,${dark ? "#fff" : "#0b1f1c"} ${dark ? 13 : 6}%,${ground});
--line:color-mix(in srgb,${dark ? "#fff" : "#0b1f1c"} 16%,${ground});
--edge:color-mix(in srgb,${dark ? "#fff" : "#0b1f1c"} 52%,${ground})}`;
}

/** White where it has enough contrast on a colour, else nearly black. */
function readable(colour: string): string {
  return 1.05 / (brightness(colour) + 0.05) >= 4.5 ? "#ffffff" : "#10201d";
}

/** Relative luminance, as WCAG has it. */
function brightness(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export const styles = `
:host{all:initial;position:fixed;z-index:2147483000;inset-block-end:0;inset-inline-end:0}
*,*::before,*::after{box-sizing:border-box}
.root{font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--ink)}
p,h2,fieldset,legend{margin:0;padding:0;border:0;font:inherit}
[dir=ltr] .who h2{text-align:left}
[dir=rtl] .who h2{text-align:right}
button{font:inherit;color:inherit;cursor:pointer;border:0;background:none}
button:disabled{cursor:default}
:focus-visible{outline:2px solid var(--c);outline-offset:2px}
.launcher{position:fixed;inset-block-end:20px;inset-inline-end:20px;display:grid;place-items:center;width:58px;height:58px;
border-radius:50%;background:var(--c);color:var(--on);box-shadow:0 2px 6px rgb(0 0 0/18%),0 8px 24px rgb(0 0 0/20%);transition:transform 140ms}
.launcher:hover{transform:scale(1.05)}
.launcher:focus-visible{outline-color:var(--ink);outline-offset:3px}
.count{position:absolute;inset-block-start:-3px;inset-inline-end:-3px;min-width:22px;padding:0 6px;border-radius:11px;
background:#c2261a;color:#fff;font-size:12px;font-weight:700;line-height:22px;text-align:center}
.teaser{position:fixed;inset-block-end:92px;inset-inline-end:20px;max-width:min(300px,calc(100vw - 40px));padding:12px 16px;border-radius:16px;
border-end-end-radius:5px;background:var(--bg);color:var(--ink);text-align:start;overflow-wrap:anywhere;box-shadow:0 2px 8px rgb(0 0 0/14%),0 10px 30px rgb(0 0 0/16%)}
.panel{position:fixed;inset-block-end:92px;inset-inline-end:20px;display:flex;flex-direction:column;width:384px;height:min(620px,calc(100dvh - 112px));
overflow:hidden;border-radius:18px;background:var(--bg);box-shadow:0 0 0 1px rgb(0 0 0/7%),0 12px 48px rgb(0 0 0/24%);animation:rise 160ms ease-out}
@keyframes rise{from{opacity:0;transform:translateY(10px)}}
.head{display:flex;gap:12px;align-items:center;padding:14px 12px 14px 16px;background:var(--c);color:var(--on)}
.face{display:grid;place-items:center;flex:none;width:40px;height:40px;border-radius:50%;background:color-mix(in srgb,var(--on) 18%,transparent);font-weight:650}
.who{flex:1;min-width:0}
.who h2{overflow:hidden;font-size:16px;font-weight:650;text-overflow:ellipsis;white-space:nowrap}
.who p{overflow:hidden;font-size:13px;text-overflow:ellipsis;white-space:nowrap}
.plain{display:grid;place-items:center;flex:none;width:40px;height:40px;border-radius:10px}
.plain:hover:not(:disabled){background:color-mix(in srgb,currentcolor 12%,transparent)}
.head .plain:focus-visible{outline-color:var(--on);outline-offset:-3px}
.bar{padding:7px 16px;background:#fdf0d3;color:#6b4600;font-size:13px}
.bar.quiet{background:var(--tint);color:var(--soft)}
.log{display:flex;flex:1;flex-direction:column;gap:8px;min-height:0;overflow-y:auto;overscroll-behavior:contain;padding:16px 14px}
.log:focus-visible{outline-offset:-3px}
.turn{display:grid;justify-items:start;align-self:flex-start;max-width:84%}
.turn.visitor{justify-items:end;align-self:flex-end}
.bubble{max-width:100%;padding:9px 13px;border-radius:16px;border-end-start-radius:5px;background:var(--tint);overflow-wrap:anywhere}
.bubble p{white-space:pre-wrap}
.turn.visitor .bubble{border-end-start-radius:16px;border-end-end-radius:5px;background:var(--c);color:var(--on)}
.bubble a{color:inherit}
.bubble img{display:block;max-width:100%;max-height:220px;margin:2px 0;border-radius:10px}
.mark{margin:2px 4px 0;color:var(--soft);font-size:12px}
.line,.line[dir]{align-self:center;padding:2px 10px;color:var(--soft);font-size:13px;text-align:center}
.typing{display:flex;gap:8px;align-items:center;padding:2px 4px;color:var(--soft);font-size:13px}
.dots{display:inline-flex;gap:3px}
.dots i{width:6px;height:6px;border-radius:50%;background:currentcolor;animation:dot 1.2s infinite}
.dots i:nth-child(2){animation-delay:150ms}
.dots i:nth-child(3){animation-delay:300ms}
@keyframes dot{0%,60%,100%{opacity:.3}30%{opacity:1}}
.chip{display:inline-flex;gap:7px;align-items:center;align-self:center;min-height:34px;margin-top:6px;padding:0 14px;border:1px solid var(--edge);border-radius:17px;font-size:14px}
.chip:hover{background:var(--tint)}
.link{min-height:24px;padding:0 4px;color:var(--soft);font-size:13px;text-decoration:underline}
.link.end{align-self:flex-end}
.log>.link:not(.end){align-self:center}
.card{display:grid;gap:10px;padding:14px;border:1px solid var(--line);border-radius:14px}
.solid{min-height:40px;border-radius:10px;background:var(--c);color:var(--on);font-weight:600}
input:not([type=radio]),textarea{width:100%;min-height:40px;padding:9px 12px;border:1px solid var(--edge);border-radius:10px;background:var(--bg);color:var(--ink);font:inherit}
textarea{display:block;resize:none}
::placeholder{color:var(--soft);opacity:1}
.stars{display:flex;gap:4px;margin-top:6px}
.stars label{position:relative;color:var(--edge);font-size:30px;line-height:36px;cursor:pointer}
.stars .on{color:#b97400}
.stars input{position:absolute;inset:0;margin:0;opacity:0;cursor:pointer}
.stars label:focus-within{outline:2px solid var(--c);border-radius:6px}
.write{display:flex;gap:2px;align-items:flex-end;padding:2px}
.write{margin:8px;border:1px solid var(--edge);border-radius:14px}
.write:focus-within{border-color:var(--c);box-shadow:0 0 0 1px var(--c)}
.write textarea{flex:1;padding:9px 6px;border:0;background:none;outline:none}
.write .plain{color:var(--soft)}
.write .send:not(:disabled){background:var(--c);color:var(--on)}
.write .send:disabled{opacity:.45}
.hidden{display:none}
@media (max-width:480px){
.panel{inset:0;width:auto;height:100dvh;border-radius:0}
.root.open .launcher,.root.open .teaser{display:none}
.write{margin-block-end:calc(8px + env(safe-area-inset-bottom))}
textarea,input{font-size:16px}
}
@media (prefers-reduced-motion:reduce){*{animation-duration:1ms!important;transition-duration:1ms!important}}
@media (forced-colors:active){.launcher,.bubble,.solid,.panel{border:1px solid}}
`;
