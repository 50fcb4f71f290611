/** Short words about what has just happened or failed, and questions that need a yes. */
import { signal } from "@preact/signals";
import { sentence } from "../api/http";
import { LoggedOut } from "../api/session";

export interface Toast {
  id: number;
  tone: "good" | "bad";
  text: string;
}

export const toasts = signal<Toast[]>([]);
let next = 1;

export function toast(text: string, tone: Toast["tone"] = "good"): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(-3), { id, tone, text }];
  setTimeout(() => dismiss(id), tone === "bad" ? 8000 : 4000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}

/** Does something that may fail, and says so if it does. Gives whether it went well. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) toast(done);
    return true;
  } catch (problem) {
    if (!(problem instanceof LoggedOut)) toast(sentence(problem), "bad");
    return false;
  }
}

export interface Question {
  title: string;
  text: string;
  yes: string;
  grave?: boolean;
  answer: (yes: boolean) => void;
}

export const question = signal<Question | null>(null);

/** Asks before something that cannot be undone. */
export function confirmed(asked: Omit<Question, "answer">): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}
