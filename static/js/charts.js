/* Draws each [data-chart] from the table beside it. Colors and fonts come from the tokens; time runs with the reading direction. */
(() => {
  const root = document.documentElement;
  const drawn = new Map();
  /* registered properties, so light-dark() is resolved; numbers of "rgb(67, 56, 202)" */
  const color = (token) => {
    const [red, green, blue] = getComputedStyle(root).getPropertyValue(token).match(/[\d.]+/g);
    return (share = 1) => `rgb(${red} ${green} ${blue} / ${share})`;
  };
  const formats = (figure) => {
    const base = { numberingSystem: "latn" };
    const { currency } = figure.dataset;
    const full = currency ? { style: "currency", currency } : "share" in figure.dataset ? { style: "percent", maximumFractionDigits: 1 } : {};
    const digits = currency ? new Intl.NumberFormat(root.lang, full).resolvedOptions().maximumFractionDigits : 0;
    const short = new Intl.NumberFormat(root.lang, { ...base, ...full, notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
    return { short: (value) => short.format(value), scale: 10 ** digits };
  };
  const read = (figure, scale) => {
    const rows = [...figure.querySelectorAll("tbody tr")];
    const heads = [...figure.querySelectorAll("thead th")].slice(1);
    return {
      labels: rows.map((row) => row.cells[0].firstChild.textContent.trim()),
      series: heads.map((head, at) => ({
        head,
        cells: rows.map((row) => row.cells[at + 1]),
        values: rows.map((row) => ("value" in row.cells[at + 1].dataset ? Number(row.cells[at + 1].dataset.value) / scale : null)),
      })),
    };
  };
  const dataset = (one, stacked, soFar) => {
    const paint = color(`--series-${one.head.dataset.color}`);
    const common = { label: one.head.textContent, data: one.values };
    const last = one.values.length - 1;
    if (one.head.dataset.kind === "bar") {
      const backgroundColor = one.values.map((_, at) => paint(soFar && at === last ? 0.45 : 1));
      return { ...common, type: "bar", backgroundColor, borderRadius: 3, maxBarThickness: 16, categoryPercentage: 0.72, barPercentage: 0.92, order: 2, ...(stacked && { stack: "all" }) };
    }
    const dash = "dash" in one.head.dataset;
    return {
      ...common, type: "line", borderColor: paint(), backgroundColor: paint(0.1), fill: !dash, borderWidth: dash ? 1.75 : 2.25, borderDash: dash ? [4, 4] : [],
      segment: { borderDash: (part) => (soFar && part.p1DataIndex === last ? [3, 3] : undefined) },
      pointRadius: one.values.length === 1 ? 3 : 0, pointHoverRadius: 4, pointHoverBackgroundColor: paint(), pointHoverBorderColor: color("--surface")(), tension: 0.3, order: 1,
    };
  };
  const options = (figure, short, series) => {
    const rtl = root.dir === "rtl";
    const stacked = "stacked" in figure.dataset;
    const whole = !figure.dataset.currency && !("share" in figure.dataset) && series.every((one) => one.values.every((value) => value === null || Number.isInteger(value)));
    const font = { family: getComputedStyle(root).getPropertyValue("--font").trim(), size: 12 };
    const ticks = { color: color("--text-2")(), font };
    const text = (item) => ` ${item.dataset.label}: ${series[item.datasetIndex].cells[item.dataIndex].textContent}`;
    return {
      responsive: true, maintainAspectRatio: false, animation: false, locale: root.lang,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 4, [rtl ? "left" : "right"]: rtl ? 26 : 4 } },
      scales: {
        x: { reverse: rtl, stacked, grid: { display: false }, border: { color: color("--grid")() }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 28, maxTicksLimit: 8 } },
        y: { position: rtl ? "right" : "left", beginAtZero: true, stacked, grid: { color: color("--grid")(), drawTicks: false }, border: { display: false }, ticks: { ...ticks, padding: 8, maxTicksLimit: 5, callback: short, precision: whole ? 0 : undefined } },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          rtl, textDirection: root.dir, backgroundColor: color("--inverse")(), titleColor: color("--on-inverse")(), bodyColor: color("--on-inverse")(),
          titleFont: { ...font, weight: 600 }, bodyFont: font, padding: 10, cornerRadius: 8, boxWidth: 8, boxHeight: 8, boxPadding: 4, itemSort: (one, other) => (one.datasetIndex - other.datasetIndex) * (rtl && !stacked ? -1 : 1), callbacks: { label: text },
        },
      },
    };
  };
  const draw = (figure) => {
    drawn.get(figure)?.chart.destroy();
    const { short, scale } = formats(figure);
    const { labels, series } = read(figure, scale);
    /* a reversed axis turns the points in time round, not the bars that stand side by side at one of them */
    const across = root.dir === "rtl" && !("stacked" in figure.dataset) ? series.toReversed() : series;
    const datasets = across.map((one) => dataset(one, "stacked" in figure.dataset, "soFar" in figure.dataset));
    const chart = new window.Chart(figure.querySelector("canvas"), { data: { labels, datasets }, options: options(figure, short, across) });
    drawn.set(figure, { chart, series, labels, at: -1 });
  };
  const drawAll = () => {
    for (const [figure, { chart }] of drawn) {
      if (figure.isConnected) continue;
      chart.destroy();
      drawn.delete(figure);
    }
    document.querySelectorAll("[data-chart]").forEach((figure) => drawn.has(figure) || draw(figure));
  };
  const redraw = () => [...drawn.keys()].forEach((figure) => figure.isConnected && draw(figure));

  /* arrows move along the axis and say the values */
  document.addEventListener("keydown", (event) => {
    const figure = event.target.matches?.("[data-chart] canvas") && event.target.closest("[data-chart]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] * (root.dir === "rtl" ? -1 : 1);
    const known = drawn.get(figure);
    if (!known || !step) return;
    event.preventDefault();
    const at = (known.at = Math.min(Math.max(known.at + step, 0), known.labels.length - 1));
    const active = known.series.map((_, datasetIndex) => ({ datasetIndex, index: at }));
    known.chart.setActiveElements(active);
    known.chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    known.chart.update("none");
    const words = known.series.map((one) => `${one.head.textContent} ${one.cells[at].textContent}`);
    figure.querySelector("[role=status]").textContent = [known.labels[at], ...words].join(", ");
  });
  document.addEventListener("htmx:after:swap", drawAll);
  document.addEventListener("loyalnest:theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  drawAll();
})();
