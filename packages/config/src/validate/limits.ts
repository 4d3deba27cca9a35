/** The longest silence before a keep-alive probe that Linux takes. Seconds. */
export const MOST_KEEPALIVE_SECONDS = 32_767;
