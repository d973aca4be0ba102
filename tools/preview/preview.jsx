// Draws one dashboard with Grafana's own components where @grafana/ui has them (graphs, numbers, bars, tables, frames);
// timelines and heatmaps, which it has not, are drawn here, with Grafana's colours and texts.
import React, { useRef, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, createTheme, dateTime, FieldType, getFieldDisplayName, getFieldDisplayValues, Registry, ThemeContext, toDataFrame,
} from '@grafana/data';
import 'uplot/dist/uPlot.min.css';
import { BarGauge, BigValue, PanelChrome, PortalContainer, TimeSeries } from '@grafana/ui';

const theme = createTheme({ colors: { mode: 'dark' } });
const CELL = { width: 62, height: 34, gap: 8 };
const { dashboard, answers, breaches, from, to } = window.preview;
const timeRange = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };

const CUSTOM = [
  'drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity', 'gradientMode', 'pointSize', 'showPoints', 'spanNulls', 'barAlignment',
  'axisPlacement', 'axisBorderShow', 'axisSoftMax', 'axisSoftMin', 'scaleDistribution', 'stacking', 'thresholdsStyle', 'hideFrom',
];
const PLAIN = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color', 'thresholds', 'mappings'];
const item = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path, path, isCustom, name: path, process: (value) => value, shouldApply: () => true,
});
const registry = new Registry(() => [...PLAIN.map((path) => item(path, false)), ...CUSTOM.map((path) => item(path, true))]);

const legend = (target, labels) => (target.legendFormat || '').replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '');

function framesOf(panel) {
  const frames = panel.targets.flatMap((target) =>
    answers[panel.id][target.refId].map(({ labels, points }) =>
      toDataFrame({
        refId: target.refId,
        fields: [
          { name: 'Time', type: FieldType.time, values: points.map(([at]) => at * 1000) },
          {
            name: 'Value', type: FieldType.number, labels, values: points.map(([, value]) => (Number.isFinite(value) ? value : null)),
            config: { displayNameFromDS: legend(target, labels) || undefined },
          },
        ],
      })
    )
  );
  return applyFieldOverrides({
    data: frames, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry, replaceVariables: (text) => text, theme, timeZone: 'utc',
  });
}

const placed = (width, at) => (width * (at - from)) / (to - from);

function Graph({ panel, frames, width, height }) {
  const bands = (config) => {
    config.addHook('drawClear', (plot) => {
      for (const [start, end] of breaches) {
        const left = plot.valToPos(Math.max(start, from), 'x', true), right = plot.valToPos(Math.min(end, to), 'x', true);
        plot.ctx.fillStyle = 'rgba(242, 73, 92, 0.12)';
        plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
      }
    });
    return null;
  };
  return (
    <TimeSeries frames={frames} timeRange={timeRange} timeZone="utc" width={width} height={height} legend={panel.options.legend}>
      {bands}
    </TimeSeries>
  );
}

function Numbers({ panel, frames, width, height, Kind }) {
  const values = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text, theme, data: frames, timeZone: 'utc',
    sparkline: panel.options.graphMode === 'area',
  });
  if (!values.length) {
    return <div style={{ color: theme.colors.text.secondary }}>{panel.fieldConfig.defaults.noValue || 'No data'}</div>;
  }
  if (Kind === BarGauge) {
    const wide = Math.max(...values.map((each) => each.display.title.length)) * 7.2 + 12;
    return values.slice(0, Math.floor(height / 22)).map((each, number) => (
      <div key={number} style={{ height: height / Math.max(values.length, 3), maxHeight: 40, display: 'flex' }}>
        <BarGauge value={each.display} field={each.field} display={each.view?.getFieldDisplayProcessor(each.colIndex)} theme={theme} width={width}
          height={Math.min(38, height / Math.max(values.length, 3)) - 4} orientation="horizontal" displayMode="basic" namePlacement="left" valueDisplayMode="color"
          text={{ titleSize: 13, valueSize: 14 }} alignmentFactors={{ title: 'x'.repeat(wide / 8), text: '100.0000' }} />
      </div>
    ));
  }
  const each = width / values.length;
  return (
    <div style={{ display: 'flex' }}>
      {values.map((value, number) => (
        <BigValue key={number} theme={theme} width={each - 2} height={height} value={value.display} count={values.length} sparkline={value.sparkline}
          colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} justifyMode="auto" textMode={panel.options.textMode} />
      ))}
    </div>
  );
}

function Timeline({ frames, width, height }) {
  const rows = frames.map((frame) => ({ field: frame.fields[1], times: frame.fields[0].values, name: getFieldDisplayName(frame.fields[1], frame, frames) }));
  const left = Math.min(190, 14 + 7 * Math.max(0, ...rows.map((row) => row.name.length)));
  const tall = Math.min(46, height / Math.max(1, rows.length));
  return (
    <svg width={width} height={height} style={{ font: '12px Inter, sans-serif' }}>
      {rows.map((row, number) => {
        const runs = [];
        row.times.forEach((at, index) => {
          const value = row.field.values[index], last = runs.at(-1);
          if (value == null) return;
          if (last && last.value === value && at - last.end < 6000) last.end = at;
          else runs.push({ value, start: last && at - last.end < 6000 ? last.end : at, end: at });
        });
        return (
          <g key={number} transform={`translate(0 ${number * tall})`}>
            <text x={0} y={tall / 2 + 4} fill={theme.colors.text.primary}>{row.name}</text>
            {runs.map((run, index) => {
              const shown = row.field.display(run.value);
              const x = left + placed(width - left, run.start), wide = Math.max(1, placed(width - left, run.end) - placed(width - left, run.start));
              return (
                <g key={index}>
                  <rect x={x} y={3} width={wide} height={tall - 6} fill={shown.color} fillOpacity={0.8} />
                  {wide > 70 && <text x={x + 6} y={tall / 2 + 4} fill="#111217">{shown.text}</text>}
                </g>
              );
            })}
          </g>
        );
      })}
    </svg>
  );
}

function Heat({ panel, width, height }) {
  const series = [...answers[panel.id][panel.targets[0].refId]].sort((a, b) => parseFloat(a.labels.le.replace('+Inf', 'Infinity')) - parseFloat(b.labels.le.replace('+Inf', 'Infinity')));
  const canvas = useRef(null);
  useEffect(() => {
    const context = canvas.current.getContext('2d');
    const own = series.map((each, number) => new Map(each.points.map(([at, value], index) => [at, value - (number ? series[number - 1].points[index]?.[1] ?? 0 : 0)])));
    const most = Math.max(1e-9, ...own.flatMap((each) => [...each.values()]));
    const left = 56, tall = (height - 4) / series.length;
    context.font = '11px Inter, sans-serif';
    own.forEach((each, number) => {
      const y = height - (number + 1) * tall;
      if (number % Math.ceil(12 / tall) === 0) {
        context.fillStyle = theme.colors.text.secondary;
        context.fillText(series[number].labels.le, 0, y + tall / 2 + 4);
      }
      const step = each.size > 1 ? [...each.keys()][1] - [...each.keys()][0] : 1;
      each.forEach((value, at) => {
        if (!(value > 1e-9)) return;
        context.fillStyle = `rgba(255, 152, 48, ${0.15 + 0.85 * Math.sqrt(value / most)})`;
        context.fillRect(left + placed(width - left, at * 1000), y + 1, placed(width - left, from + step * 1000) - 0.5, tall - 1);
      });
    });
  });
  return <canvas ref={canvas} width={width} height={height} />;
}

function Columns({ panel, frames }) {
  const { renameByName, excludeByName } = panel.transformations.at(-1).options;
  const names = Object.keys(renameByName).filter((name) => !excludeByName[name]);
  const rows = new Map();
  const labelled = names.filter((name) => !name.startsWith('Value'));
  for (const frame of frames) {
    const { labels = {}, values } = frame.fields[1];
    const key = labelled.map((name) => labels[name]).join();
    rows.set(key, { ...rows.get(key), ...labels, [`Value #${frame.refId}`]: values.at(-1) });
  }
  const shown = (name, value) => {
    if (value === undefined) return '';
    if (!name.startsWith('Value')) return value;
    const own = panel.fieldConfig.overrides.find((each) => each.matcher.options === renameByName[name])?.properties ?? [];
    const config = Object.fromEntries(own.map((each) => [each.id, each.value]));
    const [frame] = applyFieldOverrides({
      data: [toDataFrame({ fields: [{ name, type: FieldType.number, values: [value], config }] })], fieldConfig: { defaults: {}, overrides: [] },
      fieldConfigRegistry: registry, replaceVariables: (text) => text, theme, timeZone: 'utc',
    });
    const { text, suffix = '', color } = frame.fields[0].display(value);
    return <span style={config.thresholds ? { color } : {}}>{text + suffix}</span>;
  };
  return (
    <table style={{ width: '100%', fontSize: 12, borderSpacing: '0 2px' }}>
      <thead><tr>{names.map((name) => <th key={name} style={{ textAlign: 'left', color: theme.colors.text.secondary }}>{renameByName[name]}</th>)}</tr></thead>
      <tbody>{[...rows.values()].map((row, number) => <tr key={number}>{names.map((name) => <td key={name} style={{ maxWidth: 160, overflow: 'hidden', textOverflow: 'ellipsis' }}>{shown(name, row[name])}</td>)}</tr>)}</tbody>
    </table>
  );
}

function Inside({ panel, width, height }) {
  const frames = framesOf(panel);
  const props = { panel, frames, width, height };
  switch (panel.type) {
    case 'timeseries': return <Graph {...props} />;
    case 'stat': return <Numbers {...props} Kind={BigValue} />;
    case 'bargauge': return <Numbers {...props} Kind={BarGauge} />;
    case 'state-timeline': return <Timeline {...props} />;
    case 'heatmap': return <Heat {...props} />;
    case 'table': return <Columns {...props} />;
  }
}

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const width = w * CELL.width - CELL.gap, height = h * (CELL.height + 4) - CELL.gap;
  const place = { position: 'absolute', left: x * CELL.width, top: y * (CELL.height + 4) + 40, width, height };
  if (panel.type === 'row') {
    return <div style={{ ...place, fontSize: 16, fontWeight: 500, paddingTop: 6 }}>⌄ {panel.title}</div>;
  }
  return (
    <div style={place}>
      <PanelChrome title={panel.title} width={width} height={height}>
        {(inner, tall) => <Inside panel={panel} width={inner} height={tall} />}
      </PanelChrome>
    </div>
  );
}

class Guard extends React.Component {
  state = {};
  static getDerivedStateFromError(error) { return { error }; }
  render() { return this.state.error ? <pre style={{ color: 'red' }}>{String(this.state.error.stack)}</pre> : this.props.children; }
}

const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
document.body.style.cssText = `margin: 16px; background: ${theme.colors.background.canvas}; color: ${theme.colors.text.primary}; font: 14px Inter, Roboto, sans-serif`;
document.head.append(Object.assign(document.createElement('style'), { textContent: 'button { color: inherit; background: none; border: 0; font: inherit; padding: 0 }' }));
document.body.style.height = `${bottom * (CELL.height + 4) + 40}px`;
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <div style={{ fontSize: 20, fontWeight: 500 }}>{dashboard.title}</div>
    <div style={{ position: 'relative', top: -24 }}>
      {dashboard.panels.map((panel) => <Guard key={panel.id}><Panel panel={panel} /></Guard>)}
    </div>
    <PortalContainer />
  </ThemeContext.Provider>
);
