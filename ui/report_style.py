"""How the monthly report looks: on the screen in the theme's colours, on paper dark on white and alone."""

from ui.theme import LIGHT

STYLE = f"""
.report {{ max-width: 186mm; font-size: 0.9rem; line-height: 1.4; }}
.report h2 {{ font-size: 1.3rem; margin: 0 0 0.4rem; padding: 0; }}
.report h3 {{ font-size: 1rem; margin: 0.9rem 0 0.3rem; padding: 0; break-after: avoid; }}
.report p, .report li, .report td, .report th {{ font-size: inherit; }} .report p {{ margin: 0 0 0.4rem; }} .report .lead {{ font-size: 1.15em; }}
.report .quiet {{ opacity: 0.8; font-size: 0.9em; }} .report .wrong {{ font-weight: 700; }}
.report ul {{ font-size: inherit; margin: 0; padding-left: 1.1rem; }} .report li {{ margin: 0 0 0.25rem; overflow-wrap: anywhere; }}
.report table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: 0 0 0.4rem; }}
.report th, .report td {{ text-align: left; vertical-align: top; padding: 0.15rem 0.4rem 0.15rem 0; border: 0; border-bottom: 1px solid rgba(128, 136, 150, 0.35); overflow-wrap: break-word; }}
.report th {{ font-weight: 600; }} .report .n {{ text-align: right; white-space: nowrap; overflow-wrap: normal; }}
.report .strong td {{ font-weight: 700; border-bottom-width: 2px; }} .report tr {{ break-inside: avoid; }}
.report .two {{ display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.6rem; }} .report .two > div {{ min-width: 0; }}
.report .changes td:nth-child(1), .report .top td:nth-child(2) {{ white-space: nowrap; }}
.report .changes td:nth-child(3), .report .top td:nth-child(1) {{ overflow-wrap: anywhere; min-width: 7rem; }}
.report img {{ width: 100%; height: auto; display: block; }} .report img.on_paper, .report img.on_phone {{ display: none; }}
@media (max-width: 640px) {{ .report .two {{ grid-template-columns: 1fr; }} .report img.on_screen {{ display: none; }} .report img.on_phone {{ display: block; max-width: 480px; }} }}
@page {{ size: A4; margin: 12mm 13mm; }}
@media print {{
  [data-testid=stHeader], [data-testid=stSidebar], [data-testid=stToolbar], [data-testid=stExpandSidebarButton], .st-key-title, .st-key-flash, .st-key-not_printed {{ display: none !important; }}
  html, body, #root, .stApp, [data-testid=stAppViewContainer], [data-testid=stMain] {{ position: static !important; display: block !important; height: auto !important; overflow: visible !important; background: {LIGHT.paper} !important; }}
  .stMainBlockContainer {{ padding: 0 !important; max-width: none !important; }}
  .report, .report * {{ color: {LIGHT.text} !important; }}
  .report {{ max-width: none; font-size: 9.5pt; line-height: 1.3; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  .report .two {{ grid-template-columns: 1fr 1fr; }}
  .report img.on_screen, .report img.on_phone {{ display: none; }} .report img.on_paper {{ display: block; }}
}}
"""
