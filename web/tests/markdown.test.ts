/** The Markdown of AI messages: what is displayed, that nothing of it is markup of the page, and that it is fast. */
import { h, render } from "preact";
import { expect, test } from "vitest";
import { MarkdownText } from "../shared/components";
import { markdownToText, parseMarkdown } from "../shared/markdown";
import { withoutMarks } from "../widget/src/messages/plainText";

function html(text: string, partial = false): string {
  const root = document.createElement("div");
  render(h(MarkdownText, { text, partial }), root);
  return (root.firstElementChild?.innerHTML ?? "").replace(
    / (?:dir="\w+"|target="_blank"|rel="[\w ]+")/g,
    "",
  );
}

test.each([
  ["**bold** and *soft* and ~~gone~~", "<p><strong>bold</strong> and <em>soft</em> and <del>gone</del></p>"],
  ["***both***", "<p><strong><em>both</em></strong></p>"],
  ["**重点：**内容", "<p><strong>重点：</strong>内容</p>"],
  ["2 * 3 * 4, a**2 + b**2, snake_case_name", "<p>2 * 3 * 4, a**2 + b**2, snake_case_name</p>"],
  ["[Terms](https://a.example/t?a=1&b=2).", '<p><a href="https://a.example/t?a=1&amp;b=2">Terms</a>.</p>'],
  ['[T](https://a.example/ "title")', '<p><a href="https://a.example/">T</a></p>'],
  ["[**T**](https://a.example/x_(y))", '<p><a href="https://a.example/x_(y)"><strong>T</strong></a></p>'],
  [
    "**https://a.example/b_c_d**",
    '<p><strong><a href="https://a.example/b_c_d">https://a.example/b_c_d</a></strong></p>',
  ],
  ["<https://a.example/>", '<p><a href="https://a.example/">https://a.example/</a></p>'],
  ["![Map](https://a.example/m.png)", '<p><a href="https://a.example/m.png">Map</a></p>'],
  ["[click](javascript:alert(1))", "<p>click</p>"],
  ["[click]( javascript:alert(1) )", "<p>click</p>"],
  ["[Call us](tel:+49301234567)", '<p><a href="tel:+49301234567">Call us</a></p>'],
  ["[Write](info@a.example)", '<p><a href="mailto:info@a.example">Write</a></p>'],
  ["[T](www.a.example/t)", '<p><a href="https://www.a.example/t">T</a></p>'],
  ["[T](/terms)", "<p>T (/terms)</p>"],
  ["[T]( https://a.example/t )", '<p><a href="https://a.example/t">T</a></p>'],
  ["[a [b] c](https://a.example/)", '<p><a href="https://a.example/">a [b] c</a></p>'],
  [
    "[[a](https://a.example/)](https://b.example/)",
    '<p>[<a href="https://a.example/">a</a>](<a href="https://b.example/">https://b.example/</a>)</p>',
  ],
  ["[![Logo](https://a.example/l.png)](https://a.example/)", '<p><a href="https://a.example/">Logo</a></p>'],
  ["see [T](https://a.example/t", '<p>see <a href="https://a.example/t">T</a></p>'],
  ["see [T](https://a.example/t and more", '<p>see <a href="https://a.example/t">T</a> and more</p>'],
  ["[ ](https://a.example/)", '<p><a href="https://a.example/">https://a.example/</a></p>'],
  [
    "[https://good.example](https://evil.example)",
    '<p><a href="https://evil.example/">https://evil.example</a></p>',
  ],
  ["**Preis**angabe", "<p><strong>Preis</strong>angabe</p>"],
  ["a &amp; b&nbsp;&lt;c&gt;, `&amp;`", "<p>a &amp; b&nbsp;&lt;c&gt;, <code>&amp;amp;</code></p>"],
  ["- [ ] open\n- [x] done", "<ul><li>☐ open</li><li>☑ done</li></ul>"],
  ["[click](data:text/html,x)", "<p>click</p>"],
  ["<img src=x onerror=alert(1)> & <b>", "<p>&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;</p>"],
  ["use `a **b** <c>` here", "<p>use <code>a **b** &lt;c&gt;</code> here</p>"],
  ["an array[0] and [note]", "<p>an array[0] and [note]</p>"],
  ["5\\* and \\_x\\_", "<p>5* and _x_</p>"],
  ["# Title\ntext", "<p><strong>Title</strong></p><p>text</p>"],
  ["one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"],
  ["a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"],
  ["> said\n> twice", "<blockquote><p>said\ntwice</p></blockquote>"],
  ["```js\na < b\n```\nafter", "<pre><code>a &lt; b</code></pre><p>after</p>"],
  ["```\nnever closed", "<pre><code>never closed</code></pre>"],
  ["Has:\n- a\n- b\n\nafter", "<p>Has:</p><ul><li>a</li><li>b</li></ul><p>after</p>"],
  ["1. a\n   - x\n   - y\n2. b", '<ol start="1"><li>a<ul><li>x</li><li>y</li></ul></li><li>b</li></ol>'],
  [
    "1. **A**\n- x\n2. B",
    '<ol start="1"><li><strong>A</strong></li></ol><ul><li>x</li></ul><ol start="2"><li>B</li></ol>',
  ],
  ["- a\n  ```\n  code\n  ```\n- b", "<ul><li>a<pre><code>code</code></pre></li><li>b</li></ul>"],
  [
    "| a | b |\n|---|:-:|\n| 1 | **2** |",
    '<div class="table"><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><strong>2</strong></td></tr></table></div>',
  ],
])("%s", (text, expected) => {
  expect(html(text)).toBe(expected);
});

test("while it is being written, no half of a mark is shown", () => {
  const text = "**Shipping** see [Terms](https://a.example/t) and `code` and *more*.";
  for (let end = 1; end <= text.length; end += 1) {
    const root = document.createElement("div");
    render(h(MarkdownText, { text: text.slice(0, end), partial: true }), root);
    expect(root.textContent).not.toMatch(/\*\*\w|\[|\]|\(h|`c/);
  }
});

test("a preview has no marks", () => {
  expect(
    markdownToText("**Hi**\n\n- see [Terms](https://a.example)\n- `x`\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
  ).toBe("Hi see Terms x a b 1 2");
});

const HOSTILE: [string, string][] = [
  ["open emphasis", "**a "],
  ["both kinds of emphasis", "*a **b "],
  ["open links", "[a"],
  ["links without an end", "[a]("],
  ["links with a space", "[a](b "],
  ["links with titles", '[a](b "c '],
  ["brackets", "](("],
  ["backticks", "` `` ``` "],
  ["quotes", ">"],
  ["quotes on lines", "> > > > > > > a\n"],
  ["list marks", "- "],
  ["list lines", "- a\n    - b\n"],
  ["deeper and deeper", "  - "],
  ["fences", "- a\n  ```\n"],
  ["table rows", "|a|\n|-|\n"],
  ["angles", "<http://a"],
  ["urls", "www.*"],
  ["backslashes", "\\"],
  ["rules", "- - "],
  ["heading marks", "# # "],
  ["strikethrough", "~~a ~~"],
];

test.each(HOSTILE)("hostile text takes time in proportion to its length: %s", (_, unit) => {
  for (const partial of [false, true]) {
    parseMarkdown(unit.repeat(100), partial);
    const start = performance.now();
    parseMarkdown(unit.repeat(Math.ceil(50_000 / unit.length)), partial);
    expect(performance.now() - start).toBeLessThan(1500);
  }
});

const TOKENS = [
  ..."*_~`[]()!<>|#-\\&:\n ",
  "**",
  "](",
  "![",
  "```\n",
  "\n> ",
  "\n- ",
  "\n1. ",
  "\n|-|\n",
  "https://a.example/x",
  "javascript:alert(1)",
  "www.b.example",
  "me@c.example",
  "tel:+4930",
  "&lt;",
  "word",
  "字",
  "👩‍👩‍👧",
];

/** The same numbers in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state;
  }
}

test("no text makes anything but safe links, and no word is lost", () => {
  const random = numbers(17);
  const next = (limit: number) => Math.floor(((random.next().value ?? 0) / 2_147_483_648) * limit);
  for (let round = 0; round < 3000; round += 1) {
    const parts = Array.from({ length: 1 + next(14) }, () => TOKENS[next(TOKENS.length)] ?? "");
    const text = parts.join("");
    const root = document.createElement("div");
    for (const partial of [true, false]) {
      render(h(MarkdownText, { text, partial }), root);
      for (const link of root.querySelectorAll("a"))
        expect(link.href, text).toMatch(/^(?:https?|mailto|tel):/);
      expect(root.querySelector("script, img, iframe, [onerror]"), text).toBeNull();
    }
    // The info of a code block is not shown.
    if (text.includes("`")) continue;
    for (const word of ["word", "字", "👩‍👩‍👧"]) {
      const shown =
        (root.textContent ?? "") + [...root.querySelectorAll("a")].map(({ href }) => href).join("");
      expect(shown.split(word).length, text).toBeGreaterThanOrEqual(Math.min(2, text.split(word).length));
    }
  }
});

test.each([
  ["**Hello** _you_, __see__ *[our prices](https://shop.test/p)*", "Hello you, see our prices"],
  ["# Orders\n> `order_id` of ~~no. 5~~", "Orders\norder_id of no. 5"],
  [
    "order_id, __init__.py, no. #5, C#, ~5 days, a > b, 2 * 3",
    "order_id, init.py, no. #5, C#, ~5 days, a > b, 2 * 3",
  ],
  ["größe_xl_ and *groß*", "größe_xl and groß"],
])("a teaser shows %j without the marks of Markdown, but with what is part of the text", (text, shown) => {
  expect(withoutMarks(text)).toBe(shown);
});

test("removing the marks takes time in proportion to the text", () => {
  const start = performance.now();
  for (const mark of ["_", "*", "[](", "a_", " *", "#"]) withoutMarks(mark.repeat(100_000));
  expect(performance.now() - start).toBeLessThan(2000);
});
