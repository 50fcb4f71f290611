/** The steps of the first run, and which of them are done: derived from what the server has, never from a flag. */

export const STEPS = ["site", "snippet", "team", "ai", "chat"] as const;

export type StepName = (typeof STEPS)[number];

/** What the server knows of the installation. */
export interface SetupFacts {
  siteId: number | null;
  /** Where the widget was last seen, apart from the demo page. */
  widget: { seen_at: string; origin: string } | null;
  members: number;
  knowledgeEntries: number;
  /** Whether an AI endpoint answers instead of the built-in knowledge. */
  hasEndpoint: boolean;
  /** Whether an operator has accepted a chat. */
  hasAcceptedChat: boolean;
}

export const NO_SITE: SetupFacts = {
  siteId: null,
  widget: null,
  members: 1,
  knowledgeEntries: 0,
  hasEndpoint: false,
  hasAcceptedChat: false,
};

export function findDone(facts: SetupFacts): Record<StepName, boolean> {
  return {
    site: facts.siteId !== null,
    snippet: facts.widget !== null,
    team: facts.members > 1,
    ai: facts.hasEndpoint || facts.knowledgeEntries > 0,
    chat: facts.hasAcceptedChat,
  };
}

/** The first step that is not done and was not skipped; null when none is left. */
export function nextStep(facts: SetupFacts, skipped: ReadonlySet<StepName> = new Set()): StepName | null {
  const done = findDone(facts);
  return STEPS.find((step) => !done[step] && !skipped.has(step)) ?? null;
}

/** Whether a step can be taken: all but the first need a site. */
export const canOpen = (step: StepName, facts: SetupFacts): boolean =>
  step === "site" ? facts.siteId === null : facts.siteId !== null;

/** The domain of an address as people enter it: "https://www.shop.com/start" and "shop.com" name one. */
export function toDomain(address: string): string {
  const text = address.trim();
  try {
    return new URL(/^https?:\/\//i.test(text) ? text : `https://${text}`).hostname;
  } catch {
    return text;
  }
}

/**
 * Keeps a value that is fetched and changed. Changes run one after another, each followed by a fetch; an answer to a
 * fetch that began before a later change or fetch is discarded, so that it cannot bring an earlier state back.
 */
export class SerializedState<T> {
  private generation = 0;
  private lastChange: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly fetchState: () => Promise<T>,
    private readonly show: (state: T) => void,
  ) {}

  /** Fetches the state and shows it unless something newer has begun. Throws what fetching throws. */
  async refresh(): Promise<void> {
    this.generation += 1;
    const { generation } = this;
    const state = await this.fetchState();
    if (generation === this.generation) this.show(state);
  }

  /**
   * Runs a change after those that were begun before, and then fetches the state. Throws what the change throws; when
   * only the fetch fails, the state stays as it was.
   */
  change(save: () => Promise<unknown>): Promise<void> {
    const run = async () => {
      await save();
      await this.refresh().catch(() => undefined);
    };
    const result = this.lastChange.then(run, run);
    this.lastChange = result;
    return result;
  }

  /** Forgets what is in progress: its answers are for somebody else. */
  reset(): void {
    this.generation += 1;
  }
}
