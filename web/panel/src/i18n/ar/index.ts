import type { CatalogueFiles } from "../catalogues";

export default import.meta.glob("./*.json", { eager: true, import: "default" }) as CatalogueFiles;
