/** Shows the link of a new invitation. */

import type { Invitation } from "../../../shared/apiTypes";
import { CopyField } from "../components/controls";
import { Dialog } from "../components/dialog";
import { copyToClipboard } from "../components/forms";
import { formatDateTime } from "../i18n/formats";
import { t } from "../i18n/i18n";

export function InvitationDialog({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  return (
    <Dialog title={t("team.invitationTitle")} onClose={onClose}>
      <div class="stack">
        <p>{t("team.invitationText", { date: formatDateTime(invitation.expires_at) })}</p>
        <CopyField
          text={invitation.link}
          onCopy={() => copyToClipboard(invitation.link, t("team.link"))}
          primary
        />
      </div>
    </Dialog>
  );
}
