import type { CatalogueFiles } from "../catalogues";

export default import.meta.glob("./pages/*.json", { eager: true, import: "default" }) as CatalogueFiles;
