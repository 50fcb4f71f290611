/**
 * Finds texts of the panel that are written in its code, outside the message catalogues.
 *
 * A text is what stands between tags; a literal in an attribute that people read or hear, as a child of an element, or
 * in an argument or property that is displayed; and, anywhere else, a literal that reads like a sentence.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const LETTERS = /\p{L}{2,}/u;
const SENTENCE = /^\p{Lu}[\p{Ll}’']*,? \p{Ll}|^\p{Lu}\p{Ll}+[.!?…]$/u;
const ATTRIBUTES = ["label", "title", "hint", "placeholder", "alt", "aria-label", "aria-description", "text"];
const PROPERTIES = ["label", "title", "text", "confirmLabel", "hint"];
const DISPLAY_CALLS = ["showToast", "runWithToast", "submitForm", "copyToClipboard", "confirmAction"];
/** Text in these elements is the same in every language. */
const CODE_TAGS = ["code", "kbd", "pre"];
const PRODUCT = "Parley";
/** URLs, domains and names of the API: every word has one of these characters inside. */
const TECHNICAL = /^\S*[./:_]\S*[^\s.](\s+\S*[./:_]\S*[^\s.])*$/;

/** Returns "file:line: text" for every text in the code under `directory`. */
export function findLiteralTexts(directory) {
  const found = [];
  for (const name of readdirSync(directory, { recursive: true })) {
    if (!/\.tsx?$/.test(name) || name.endsWith(".d.ts") || name.startsWith("i18n/")) continue;
    const source = readFileSync(join(directory, name), "utf8");
    const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    visit(file, (node, text) => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push(`${name}:${line + 1}: ${JSON.stringify(text)} is not in the message catalogues`);
    });
  }
  return found;
}

function visit(node, report) {
  if (ts.isJsxText(node)) {
    const text = node.text.trim();
    if (LETTERS.test(text) && text !== PRODUCT && !isInCode(node)) report(node, text);
  } else if (isText(node) && isDisplayed(node)) {
    report(node, textOf(node));
  }
  ts.forEachChild(node, (child) => visit(child, report));
}

const isText = (node) =>
  ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node);

/** The literal's text; of a template, what stands between its values. */
const textOf = (node) =>
  ts.isTemplateExpression(node)
    ? [node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join("…")
    : node.text;

const isInCode = (node) => ts.isJsxElement(node.parent) && CODE_TAGS.includes(tagOf(node.parent));
const tagOf = (element) => element.openingElement.tagName.getText();

function isDisplayed(node) {
  const text = textOf(node);
  if (!LETTERS.test(text) || TECHNICAL.test(text) || text === PRODUCT) return false;
  const place = findPlace(node);
  if (ts.isJsxAttribute(place)) return ATTRIBUTES.includes(place.name.getText());
  if (ts.isJsxExpression(place) && ts.isJsxAttribute(place.parent))
    return ATTRIBUTES.includes(place.parent.name.getText());
  if (ts.isJsxExpression(place)) return !isInCode(place);
  if (ts.isCallExpression(place) && DISPLAY_CALLS.includes(place.expression.getText()))
    return /^\p{Lu}/u.test(text);
  if (ts.isPropertyAssignment(place) && PROPERTIES.includes(place.name.getText()))
    return /^\p{Lu}/u.test(text);
  return SENTENCE.test(text) && !isForDevelopers(place);
}

/** What a literal is a value of: the parent, past `?:`, `&&`, `||`, `??`, `+` and parentheses. */
function findPlace(node) {
  let [child, parent] = [node, node.parent];
  while (
    ts.isParenthesizedExpression(parent) ||
    ts.isTemplateSpan(parent) ||
    ts.isTemplateExpression(parent) ||
    (ts.isConditionalExpression(parent) && parent.condition !== child) ||
    (ts.isBinaryExpression(parent) && !isComparison(parent))
  ) {
    [child, parent] = [parent, parent.parent];
  }
  return parent;
}

const COMPARISONS = [
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.InKeyword,
];
const isComparison = (expression) => COMPARISONS.includes(expression.operatorToken.kind);

/** The message of an error that only developers see. */
const isForDevelopers = (place) => ts.isNewExpression(place);
