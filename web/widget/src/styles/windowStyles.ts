/** The chat window's style sheet. */

export const windowStyles = `
p,h2,fieldset,legend{margin:0;padding:0;border:0;font:inherit}
button:disabled{cursor:default}
.unread-count{position:absolute;inset-block-start:-3px;inset-inline-end:-3px;min-width:22px;padding:0 6px;border-radius:11px;
background:#c2261a;color:#fff;font-size:12px;font-weight:700;line-height:22px;text-align:center}
[dir=ltr] .header-text h2{text-align:left}
[dir=rtl] .header-text h2{text-align:right}
.window{position:fixed;inset-block-end:92px;inset-inline-end:20px;display:flex;flex-direction:column;width:384px;height:min(620px,calc(100dvh - 112px));
overflow:hidden;border-radius:18px;background:var(--background);box-shadow:0 0 0 1px rgb(0 0 0/7%),0 12px 48px rgb(0 0 0/24%);animation:rise 160ms ease-out}
@keyframes rise{from{opacity:0;transform:translateY(10px)}}
.header{display:flex;gap:12px;align-items:center;padding:14px 12px 14px 16px;background:var(--accent);color:var(--on-accent)}
.avatar{display:grid;place-items:center;flex:none;width:40px;height:40px;border-radius:50%;background:color-mix(in srgb,var(--on-accent) 18%,transparent);font-weight:650}
.header-text{flex:1;min-width:0}
.header-text h2{overflow:hidden;font-size:16px;font-weight:650;text-overflow:ellipsis;white-space:nowrap}
.header-text p{overflow:hidden;font-size:13px;text-overflow:ellipsis;white-space:nowrap}
.icon-button{display:grid;place-items:center;flex:none;width:40px;height:40px;border-radius:10px}
.icon-button:hover:not(:disabled){background:color-mix(in srgb,currentcolor 12%,transparent)}
.header .icon-button:focus-visible{outline-color:var(--on-accent);outline-offset:-3px}
.banner{display:flex;align-items:center;justify-content:space-between;padding:7px 16px;background:#fdf0d3;color:#6b4600;font-size:13px}
.banner.quiet{background:var(--surface);color:var(--muted)}
.banner .icon-button{width:28px;height:28px;margin-block:-4px}
.confirm{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;padding:12px 16px;background:var(--surface);font-size:14px}
.confirm p,.confirm form{flex-basis:100%}
.confirm .primary-button{min-height:36px;padding:0 14px}
.message-list{display:flex;flex:1;flex-direction:column;gap:8px;min-height:0;overflow-y:auto;overscroll-behavior:contain;padding:16px 14px}
.message-list:focus-visible{outline-offset:-3px}
.message{display:grid;justify-items:start;align-self:flex-start;max-width:84%}
.message.visitor{justify-items:end;align-self:flex-end}
.bubble{max-width:100%;padding:9px 13px;border-radius:16px;border-end-start-radius:5px;background:var(--surface);overflow-wrap:anywhere}
.bubble p,.bubble li{white-space:pre-wrap}
.markdown>*{margin:0}
.markdown>*+*{margin-top:8px}
.markdown ul,.markdown ol{margin-block:0;padding-inline-start:22px}
.markdown>*+ul,.markdown>*+ol{margin-top:4px}
.markdown li>ul,.markdown li>ol{margin:0}
.markdown code{padding:1px 4px;border-radius:4px;background:color-mix(in srgb,currentcolor 9%,transparent);font:.9em ui-monospace,monospace}
.markdown pre{overflow-x:auto;padding:8px 10px;border-radius:8px;background:color-mix(in srgb,currentcolor 9%,transparent)}
.markdown pre code{padding:0;background:none}
.markdown blockquote{padding-inline-start:10px;border-inline-start:3px solid var(--border);color:var(--muted)}
.markdown hr{border:0;border-top:1px solid var(--border)}
.markdown .table{overflow-x:auto}
.markdown table{border-collapse:collapse;font-size:14px;overflow-wrap:normal}
.markdown th,.markdown td{padding:3px 8px;border:1px solid var(--border);text-align:start}
.message.visitor .bubble{border-end-start-radius:16px;border-end-end-radius:5px;background:var(--accent);color:var(--on-accent)}
.bubble a{color:inherit}
.bubble img{display:block;max-width:100%;max-height:220px;margin:2px 0;border-radius:10px}
.author{margin:0 4px 2px;color:var(--muted);font-size:12px}
.author b{display:inline-block;line-height:1.3;margin-inline-end:5px;padding:0 4px;border:1px solid var(--control-border);border-radius:4px;font-size:10px}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.message-status{margin:2px 4px 0;text-align:end;color:var(--muted);font-size:12px}
.sources{display:flex;flex-wrap:wrap;gap:2px 10px;margin:2px 4px 0;color:var(--muted)}
.sources a{color:inherit}
.notice,.notice[dir]{align-self:center;padding:2px 10px;color:var(--muted);font-size:13px;text-align:center}
.line{display:flex;gap:10px;align-items:center;color:var(--muted);font-size:12px}
.line::before,.line::after{content:"";flex:1;border-top:1px solid var(--border)}
.line.new{font-weight:650}
.teaser-text{text-align:start;overflow-wrap:anywhere}
.teaser-close{position:absolute;inset-block-start:-10px;inset-inline-end:-8px;display:grid;place-items:center;width:26px;height:26px;border:1px solid var(--border);border-radius:50%;background:var(--background)}
.typing-indicator{display:flex;gap:8px;align-items:center;padding:2px 4px;color:var(--muted);font-size:13px}
.typing-dots{display:inline-flex;gap:3px}
.typing-dots i{width:6px;height:6px;border-radius:50%;background:currentcolor;animation:typing-dot 1.2s infinite}
.typing-dots i:nth-child(2){animation-delay:150ms}
.typing-dots i:nth-child(3){animation-delay:300ms}
@keyframes typing-dot{0%,60%,100%{opacity:.3}30%{opacity:1}}
.handoff-button{display:inline-flex;gap:7px;align-items:center;align-self:center;min-height:34px;margin-top:6px;padding:0 14px;border:1px solid var(--control-border);border-radius:17px;font-size:14px}
.handoff-button:hover{background:var(--surface)}
.quick-replies{display:flex;flex-wrap:wrap;gap:2px 8px}
a.handoff-button{color:inherit;text-decoration:none}
a.handoff-button::after{content:" ↗";content:" ↗"/""}
.text-button{min-height:24px;padding:0 4px;color:var(--muted);font-size:13px;text-decoration:underline}
.text-button.end{align-self:flex-end}
.message-list>.text-button:not(.end){align-self:center}
.form-card{display:grid;gap:10px;padding:14px;border:1px solid var(--border);border-radius:14px}
.primary-button{min-height:40px;border-radius:10px;background:var(--accent);color:var(--on-accent);font-weight:600}
input:not([type=radio]),textarea{width:100%;min-height:40px;padding:9px 12px;border:1px solid var(--control-border);border-radius:10px;background:var(--background);color:var(--text);font:inherit}
textarea{display:block;resize:none}
::placeholder{color:var(--muted);opacity:1}
.stars{display:flex;gap:4px;margin-top:6px}
.stars label{position:relative;color:var(--control-border);font-size:30px;line-height:36px;cursor:pointer}
.stars .on{color:#b97400}
.stars input{position:absolute;inset:0;margin:0;opacity:0;cursor:pointer}
.stars label:focus-within{outline:2px solid var(--accent);border-radius:6px}
.composer-field{display:flex;gap:2px;align-items:flex-end;padding:2px}
.composer-field{margin:8px;border:1px solid var(--control-border);border-radius:14px}
.composer-field:focus-within{border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}
.composer-field textarea{flex:1;padding:9px 6px;border:0;background:none;outline:none}
.composer-field .icon-button{color:var(--muted)}
.composer-field .send:not(:disabled){background:var(--accent);color:var(--on-accent)}
.composer-field .send:disabled{opacity:.45}
.composer-field .notice{display:none}
.file-card{display:flex;align-items:center;gap:8px;min-width:0;color:inherit;text-decoration:none}
.file-name{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.file-size{flex:none;opacity:.75;font-size:12px}
.file-player{display:grid;gap:6px}
.file-player audio,.file-player video{width:100%;min-width:200px;max-height:220px}
.voice-note{display:flex;align-items:center;gap:2px;font-variant-numeric:tabular-nums}
.banner progress{flex:1;min-width:40px;margin-inline:10px}
.hidden{display:none}
@media (min-width:481px){:host([left]) .window{inset-inline:20px auto}}
@media (max-width:480px){
.window{inset:0;width:auto;height:100dvh;border-radius:0}
.root.open .launcher,.root.open .teaser{display:none}
.composer-field{margin-block-end:calc(8px + env(safe-area-inset-bottom))}
}
@media (max-width:480px),(any-pointer:coarse){input:not([type=radio]),textarea,.composer-field textarea{font-size:16px}}
@media (forced-colors:active){.bubble,.primary-button,.window{border:1px solid}}
`;
