// What this browser remembers of its reader.

/** Storage may be forbidden; then the page forgets, and works. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // See remembered().
  }
}
