import { render } from 'preact';
import { start } from './live';
import { Shell } from './shell';
import { startTheme } from './theme';
import 'uplot/dist/uPlot.min.css';
import './style/app.css';

startTheme();
start();
const root = document.getElementById('app');
if (root) render(<Shell />, root);
