/** The style sheet of the site's forms, which is loaded with them. */

export const formStyles = `
.site-form{gap:14px}
.site-form h3{margin:0;font-size:16px;font-weight:650}
.form-field{display:grid;gap:4px}
.form-field>label{font-size:14px;font-weight:550}
.form-field small{color:var(--muted);font-weight:400}
.form-field select{width:100%;min-height:40px;padding:8px 10px;border:1px solid var(--control-border);border-radius:10px;background:var(--background);color:var(--text);font:inherit}
.form-field textarea{resize:vertical}
.form-field .form-check{display:flex;gap:10px;align-items:flex-start;font-weight:400}
.form-check a{color:inherit}
.form-check .markdown{min-width:0;overflow-wrap:anywhere}
.site-form input[type=checkbox]{flex:none;width:20px;min-height:20px;height:20px;margin:0;padding:0;accent-color:var(--accent)}
.form-field [aria-invalid=true]{border-color:#b3261e;border-color:light-dark(#b3261e,#ffb4ab)}
.field-error{color:#b3261e;color:light-dark(#b3261e,#ffb4ab);font-size:13px}
.form-buttons{display:flex;gap:8px;align-items:center}
.form-buttons .primary-button{flex:1}
@media (max-width:480px),(any-pointer:coarse){.form-field select{font-size:16px}}
`;
