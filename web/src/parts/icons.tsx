// The page's few icons, drawn on a 20 by 20 grid with the text's colour.

const PATHS = {
  overview: 'M3 10.500 10 4l7 6.500M5 9.500V16h10V9.500M8.500 16v-4h3v4',
  alerts: 'M10 3.500a4.500 4.500 0 0 1 4.500 4.500c0 4 1.500 5 1.500 5h-12s1.500-1 1.500-5A4.500 4.500 0 0 1 10 3.500ZM8.500 16h3',
  actions: 'M11 2.500 4.500 11.500H10l-1 6 6.500-9H10l1-6Z',
  programs: 'M7 6 3 10l4 4M13 6l4 4-4 4M11.500 4.500l-3 11',
  discovered: 'M10 10 15.500 4.500M10 3a7 7 0 1 0 7 7M10 6.500a3.500 3.500 0 1 0 3.500 3.500',
  devices: 'M3.500 4h13v8h-13zM7 16h6M10 12v4M6.500 8h2l1-2 1.500 4 1-2h1.500',
  history: 'M3 16.500h14M3 16.500V4M5.500 13l3-4 3 2.500 4.500-6',
  connections: 'M6.500 4v4.500a3.500 3.500 0 0 0 7 0V4M4.500 4h4M11.500 4h4M10 12v4.500',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4',
  more: 'M4.500 10h.1M10 10h.1M15.500 10h.1',
  search: 'M9 3.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11ZM13 13l4 4',
  language: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM3 10h14M10 3c-2.500 2-3.500 4.500-3.500 7s1 5 3.500 7M10 3c2.500 2 3.500 4.500 3.500 7s-1 5-3.500 7',
  shelve: 'M3 5h14v3H3zM4.500 8v8h11V8M8 11h4',
  play: 'M6.500 4.500v11l9-5.500z',
  plus: 'M10 4v12M4 10h12',
  cross: 'M5 5l10 10M15 5 5 15',
  download: 'M10 3.500V13M6 9.500l4 4 4-4M4 16.500h12',
  link: 'M8.500 11.500 11.500 8.500M9 6l1.500-1.500a3.500 3.500 0 0 1 5 5L14 11M11 14l-1.500 1.500a3.500 3.500 0 0 1-5-5L6 9',
  lock: 'M6 9V6.500a4 4 0 0 1 8 0V9M4.500 9h11v7.500h-11z',
  light: 'M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7ZM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100',
  dark: 'M16 12.200A6.700 6.700 0 0 1 7.800 4 6.700 6.700 0 1 0 16 12.200Z',
  auto: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z',
  critical: 'M7 3h6l4 4v6l-4 4H7l-4-4V7zM10 6.500v4.500M10 13.300v.4',
  warning: 'M10 3 17.500 16.500h-15zM10 8v4M10 14.100v.3',
  info: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 9.500v4M10 6.500v.3',
  check: 'M4 10.500 8.500 15 16 6',
  back: 'M12 4.500 6.500 10l5.500 5.500',
  forward: 'M8 4.500 13.500 10 8 15.500',
  clock: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 6v4.200l2.800 1.800',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, class: extra = '' }: { name: IconName; class?: string }) {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
      {name === 'auto' && <path class="filled" d="M10 3a7 7 0 0 1 0 14Z" />}
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <rect class="logo-plate" width="32" height="32" rx="7" />
      <path class="logo-stem" d="M16 27V7" />
      <path class="logo-leaf" d="M16 27C16 19 12 14 7 12M16 27c0-6 3.500-10 9-12" />
      <circle class="logo-seed" cx="16" cy="6.500" r="2.700" />
    </svg>
  );
}
