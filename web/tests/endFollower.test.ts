/** A list of messages stays at its end while it grows, unless its reader scrolls up. */
import { expect, test } from "vitest";
import { EndFollower } from "../shared/endFollower";

const list = (scrollTop: number, scrollHeight: number) =>
  ({ scrollTop, scrollHeight, clientHeight: 400 }) as HTMLElement;

test("growth after our own scrolling does not end it", () => {
  const follower = new EndFollower();
  follower.onScroll(list(600, 1000));
  // We scrolled to 700 of 1100; before the event came, an image made the list longer.
  follower.onScroll(list(700, 1400));
  expect(follower.isAtEnd).toBe(true);
});

test("a reader who scrolls up stays there until they are back at the end", () => {
  const follower = new EndFollower();
  follower.onScroll(list(600, 1000));
  follower.onScroll(list(300, 1000));
  expect(follower.isAtEnd).toBe(false);
  follower.onScroll(list(320, 1200));
  expect(follower.isAtEnd).toBe(false);
  follower.onScroll(list(780, 1200));
  expect(follower.isAtEnd).toBe(true);
});

test("a list that becomes shorter is at its end", () => {
  const follower = new EndFollower();
  follower.onScroll(list(600, 1000));
  follower.onScroll(list(500, 900));
  expect(follower.isAtEnd).toBe(true);
});
