import type { Server } from 'node:http';

/** What the HTTP listeners of a gateway do, and did since its start, also those that a reload closed. */
export class HttpActivity {
  #accepted = 0;
  #active = 0;
  #requests = 0;
  #answering = 0;

  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that are open. */
  get active(): number {
    return this.#active;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Requests whose answer is under way. */
  get answering(): number {
    return this.#answering;
  }

  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#accepted += 1;
      this.#active += 1;
      socket.once('close', () => (this.#active -= 1));
    });
    server.on('request', (_request, response) => {
      this.#requests += 1;
      this.#answering += 1;
      response.once('close', () => (this.#answering -= 1));
    });
  }
}
