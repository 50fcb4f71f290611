/** A file of a message, in the panel. */
import type { FileAttachment } from "../../../shared/apiTypes";
import { FileCard } from "../../../shared/fileCard";
import { Icon } from "../components/icon";
import { locale, t } from "../i18n/i18n";
import "./files.css";

export const PanelFile = ({ file }: { file: FileAttachment }) => (
  <FileCard
    file={file}
    locale={locale.value}
    icon={<Icon name={file.kind === "audio" ? "microphone" : "file"} />}
    expiredText={t("files.expired")}
  />
);
