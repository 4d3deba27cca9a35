/** Lets writes run side by side, and a deletion that depends on nobody writing run alone. */
export interface WriteGate {
  /** Runs beside other shared work; waits for lone work that came before. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs when everything that came before is done, and holds up what comes after. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createWriteGate(): WriteGate {
  const running = new Set<Promise<unknown>>();
  let lastAlone: Promise<unknown> = Promise.resolve();

  return {
    shared(work) {
      const done = lastAlone.then(work);
      const settled = done.then(ignore, ignore);
      running.add(settled);
      void settled.then(() => running.delete(settled));
      return done;
    },
    alone(work) {
      const done = Promise.all([lastAlone, ...running]).then(work);
      lastAlone = done.then(ignore, ignore);
      return done;
    },
  };
}

/** How the work ended is its caller's business. */
function ignore(): void {}
