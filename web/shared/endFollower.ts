/** Keeps a list of messages at its end while it grows, unless its reader has scrolled up. */

/** Nearer to its end than this, a list counts as being there. */
const THRESHOLD_PX = 60;

export class EndFollower {
  /** Whether the reader is at the end, and wants to stay there. */
  isAtEnd = true;
  private lastTop = 0;

  /** Call on each scroll event. */
  onScroll({ scrollTop, scrollHeight, clientHeight }: HTMLElement): void {
    // Growth below is no scrolling: an image that arrived between our scrolling and its event must not end it.
    if (scrollHeight - scrollTop - clientHeight < THRESHOLD_PX) this.isAtEnd = true;
    else if (scrollTop < this.lastTop) this.isAtEnd = false;
    this.lastTop = scrollTop;
  }
}
