// The last values of something that no device is declared for, as a line of
// a thumb's size; what it says in words stands beside it.

import type { Value } from '../api';
import { linePoints } from '../chartdata';

const WIDTH = 120;
const HEIGHT = 28;
const PAD = 3;

export function MiniChart({ values, stepped }: { values: [number, Value | null][]; stepped: boolean }) {
  const points = linePoints(values, WIDTH, HEIGHT, PAD);
  const end = points[points.length - 1];
  if (!end) return <svg class="mini" width={WIDTH} height={HEIGHT} aria-hidden="true" />;
  const path = points.map(([x, y], i) => (i === 0 ? `M${x} ${y}` : stepped ? `H${x}V${y}` : `L${x} ${y}`)).join('');
  return (
    <svg class="mini" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={path} />
      <circle cx={end[0]} cy={end[1]} r="2.5" />
    </svg>
  );
}
