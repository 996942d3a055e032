import { render } from 'preact';
import { startLanguage } from './i18n';
import { startKeys } from './keys';
import { start } from './live';
import { Shell } from './shell';
import { startTheme } from './theme';
import 'uplot/dist/uPlot.min.css';
import './style/app.css';

startLanguage();
startTheme();
startKeys();
start();
const root = document.getElementById('app');
if (root) render(<Shell />, root);
