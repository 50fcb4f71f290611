/** The button that records a voice note. Loaded on sites that accept them. */
import { VoiceNote as RecordButton, type RecordingFailure } from "../../../shared/voiceNote";
import { strings } from "../i18n/lateTexts";
import { Icon } from "../icon";
import type { WidgetStore } from "../widgetStore";

export function VoiceNote({ store }: { store: WidgetStore }) {
  const showFailure = (reason: RecordingFailure) => {
    store.error.value = reason === "denied" ? strings.microphoneDenied : strings.recordingFailed;
  };
  return (
    <RecordButton
      labels={{
        record: strings.recordVoice,
        stop: strings.sendVoice,
        discard: strings.cancel,
        recording: strings.recording,
      }}
      icons={{
        record: <Icon name="microphone" />,
        stop: <Icon name="send" />,
        discard: <Icon name="close" />,
      }}
      disabled={store.uploading.value !== null}
      onRecorded={({ file, seconds }) => void store.sendFile(file, seconds)}
      onFailure={showFailure}
    />
  );
}
