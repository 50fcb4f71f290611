/** A file of a message. Loaded with the first message that has one. */
import type { FileAttachment } from "../../../shared/apiTypes";
import { FileCard } from "../../../shared/fileCard";
import { locale } from "../i18n/i18n";
import { strings } from "../i18n/lateTexts";
import { Icon } from "../icon";

export const WidgetFile = ({ file }: { file: FileAttachment }) => (
  <FileCard
    file={file}
    locale={locale.language}
    icon={<Icon name={file.kind === "audio" ? "microphone" : "file"} />}
    expiredText={strings.fileExpired}
  />
);
