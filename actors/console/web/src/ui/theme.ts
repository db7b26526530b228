// Light or dark: as the system says, unless somebody chose.

const key = 'lucid-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function chosen(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // Storage may be switched off; then the choice lasts as long as the page.
  }
}

export const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';

export function startTheme(): void {
  const theme = chosen();
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  dark.addEventListener('change', () => listeners.forEach((listener) => listener()));
}

export function toggleTheme(): void {
  const theme = isDark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    /* As above. */
  }
  listeners.forEach((listener) => listener());
}

/** Pictures drawn on a canvas take the colours anew; answers what ends that. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
