#include "signfold/experiment/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "signfold/experiment/version.h"

namespace signfold::experiment {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light;--ink:#1b1b1b;--soft:#5a5a5a;--line:#dcdcdc;--good:#0b6b3a;--bad:#a8071a}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:1.2rem;font:16px/1.5 Arial,Helvetica,sans-serif;color:var(--ink);background:#fff}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .6rem}
h2{font-size:1.3rem;margin:2.2rem 0 .4rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:.4rem 0;max-width:75ch}
.soft{color:var(--soft);font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid var(--line)}
th{font-weight:bold;color:var(--soft)}
td.number{white-space:nowrap;font-variant-numeric:tabular-nums}
.good,.bad{font-weight:bold;white-space:nowrap}
.good{color:var(--good)}
.bad{color:var(--bad)}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:.6rem;margin:.8rem 0}
.panels svg{width:100%;height:auto;display:block}
.panels image{image-rendering:pixelated}
details{margin:.6rem 0}
summary{cursor:pointer}
@media(max-width:700px){
 body{padding:.8rem}
 .verdicts thead{display:none}
 .verdicts tr{display:block;padding:.6rem 0;border-bottom:1px solid var(--line)}
 .verdicts td{display:block;border:0;padding:.1rem 0}
 .verdicts td.number{white-space:normal}
 .verdicts td[data-name]::before{content:attr(data-name) ": ";color:var(--soft)}
}
@media print{
 body{max-width:none;padding:0;font-size:10pt}
 h2,h3{break-after:avoid}
 .panels{grid-template-columns:1fr 1fr}
 .panels svg,tr{break-inside:avoid}
}
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The <svg> element alone, with names of its own: many of them share one page.
std::string inline_svg(const std::string& document, const std::string& title, std::size_t number) {
  std::string svg = document.substr(std::min(document.find("<svg"), document.size()));
  for (const char* name : {"gpPt", "gpDot", "gnuplot_canvas", "gnuplot_plot", "textbox", "greybox"}) {
    svg = replace_all(svg, name, fmt::format("p{}{}", number, name));
  }
  const std::size_t begin = svg.find("<title>");
  const std::size_t end = svg.find("</desc>");
  if (begin != std::string::npos && end != std::string::npos) {
    svg.replace(begin, end + 7 - begin, fmt::format("<title>{}</title>", escaped(title)));
  }
  return replace_all(svg, "<svg ", "<svg role=\"img\" ");
}

std::string mark(const Verdict& verdict) {
  return verdict.agrees ? "<span class=\"good\">✔ agrees</span>" : "<span class=\"bad\">✘ differs</span>";
}

std::string verdict_row(const FigureOutcome& figure, const Verdict& verdict) {
  return fmt::format(
      "<tr><td><a href=\"#{}\">{}</a></td><td>{}<div class=\"soft\">{}</div></td>"
      "<td class=\"number\" data-name=\"measured\">{}</td><td class=\"number\" data-name=\"claimed\">{}</td>"
      "<td>{}<div class=\"soft\">{}</div></td></tr>\n",
      figure.figure->name, figure.figure->name, escaped(verdict.claim), escaped(verdict.source),
      escaped(verdict.measured), escaped(verdict.claimed), mark(verdict), escaped(verdict.reason));
}

std::string verdict_table(const ReproduceOutcome& outcome) {
  std::string out =
      "<table class=\"verdicts\"><thead><tr><th>Figure</th><th>Claim</th><th>Measured</th><th>Claimed</th>"
      "<th>Verdict</th></tr></thead><tbody>\n";
  for (const FigureOutcome& figure : outcome.figures) {
    for (const Verdict& verdict : figure.findings.verdicts) out += verdict_row(figure, verdict);
    if (!figure.missing.empty()) {
      out += fmt::format("<tr><td><a href=\"#{}\">{}</a></td><td colspan=\"4\">Skipped: {}</td></tr>\n",
                         figure.figure->name, figure.figure->name, escaped(figure.missing));
    }
  }
  return out + "</tbody></table>\n";
}

std::string panels_html(const FigureOutcome& outcome, std::size_t& number) {
  if (!outcome.drawing) {
    return "<p><b>No plot:</b> gnuplot is not installed (Debian: gnuplot-nox). The numbers are in the CSV file; run "
           "the same command again with gnuplot to get the plots, nothing is computed twice.</p>\n";
  }
  std::string out = "<div class=\"panels\">\n";
  for (std::size_t k = 0; k < outcome.drawing->panels.size(); ++k) {
    out += fmt::format("<div>{}</div>\n",
                       inline_svg(outcome.drawing->panels[k], outcome.findings.panels[k].title, number++));
  }
  return out + "</div>\n";
}

/// "dim: 100, 200; rate: 1": the values every setting takes.
std::string settings_text(const FigureOutcome& outcome) {
  std::vector<std::string> keys;
  for (const Row& row : outcome.table.rows) {
    for (const auto& [key, value] : row.settings.items()) {
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  std::string out;
  for (const std::string& key : keys) {
    if (key == "version") continue;
    constexpr std::size_t kMost = 12;
    const auto values = values_of(outcome.table.rows, key);
    std::string list;
    for (std::size_t i = 0; i < std::min(values.size(), kMost); ++i) {
      list += (i == 0 ? "" : ", ") + (values[i].is_string() ? values[i].get<std::string>() : values[i].dump());
    }
    if (values.size() > kMost) list += fmt::format(", … ({} values)", values.size());
    out += fmt::format("<b>{}</b>: {}<br>\n", escaped(key), escaped(list));
  }
  return out;
}

std::string figure_html(const FigureOutcome& outcome, std::size_t& number) {
  const Figure& figure = *outcome.figure;
  std::string out = fmt::format("<h2 id=\"{}\">{}</h2>\n", figure.name, escaped(figure.title));
  out += fmt::format("<p><b>The paper.</b> {}</p>\n", escaped(figure.paper));
  if (!outcome.missing.empty()) return out + fmt::format("<p><b>Skipped.</b> {}</p>\n", escaped(outcome.missing));
  out += panels_html(outcome, number);
  out += "<p><b>What was found.</b></p>\n";
  for (const std::string& paragraph : outcome.findings.paragraphs)
    out += fmt::format("<p>{}</p>\n", escaped(paragraph));
  std::string versions;
  for (const std::string& v : outcome.versions) versions += (versions.empty() ? "" : ", ") + v;
  return out + fmt::format(
                   "<details><summary>Settings</summary><p class=\"soft\">{}<b>points</b>: {}, computed in {:.0f} s by "
                   "signfold {}<br>\n<b>numbers</b>: {}.csv, {} rows</p></details>\n",
                   settings_text(outcome), outcome.points, outcome.seconds, escaped(versions), figure.name,
                   outcome.table.rows.size());
}

std::string summary(const ReproduceRequest& request, const ReproduceOutcome& outcome) {
  std::size_t agree = 0;
  std::size_t differ = 0;
  double seconds = 0;
  for (const FigureOutcome& figure : outcome.figures) {
    seconds += figure.seconds;
    for (const Verdict& verdict : figure.findings.verdicts) ++(verdict.agrees ? agree : differ);
  }
  const char* effort = request.effort == Effort::quick ? "quick" : "full";
  return fmt::format("<p>{} of {} claims agree with what was measured{}. Computed in {:.0f} s ({} run, seed {}).</p>\n",
                     agree, agree + differ,
                     differ == 0 ? "" : fmt::format(", {} {}", differ, differ == 1 ? "differs" : "differ"), seconds,
                     effort, request.context.seed);
}

}  // namespace

std::string to_html(const ReproduceRequest& request, const ReproduceOutcome& outcome) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Signfold: the experiments, reproduced</title><style>{}</style></head><body>\n"
      "<h1>One bit per coordinate: the experiments, reproduced</h1>\n"
      "<p class=\"soft\">Kögler, Shevchenko, Hassani, Mondelli: Compression of Structured Data with Autoencoders: "
      "Provable Benefit of Nonlinearities and Depth. ICML 2024, PMLR 235:24964–25015 (“the paper”). Measured by "
      "signfold {}.</p>\n"
      "<p>A vector x of d independent coordinates is kept as n = r·d signs z = sign(Bx) and reconstructed. Risk is the "
      "mean squared error per coordinate over its energy: 1 means knowing nothing. Lines are theory, points are "
      "measured with bars of one standard error. A claim <b>agrees</b> when everything measured for it is as close "
      "as its tolerance says, and <b>differs</b> otherwise; the table shows the worst number of each, and nothing is "
      "decided by hand.</p>\n",
      kStyle, escaped(version()));
  out += summary(request, outcome) + "<h3>Verdicts</h3>\n" + verdict_table(outcome);
  std::size_t number = 0;
  for (const FigureOutcome& figure : outcome.figures) out += figure_html(figure, number);
  return out + "</body></html>\n";
}

}  // namespace signfold::experiment
