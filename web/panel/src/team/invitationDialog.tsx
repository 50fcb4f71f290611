/** Shows the link of a new invitation. */
import type { Invitation } from "../../../shared/apiTypes";
import { formatDateTime } from "../../../shared/dates";
import { CopyField } from "../components/controls";
import { Dialog } from "../components/dialog";
import { copyToClipboard } from "../components/forms";

export function InvitationDialog({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  return (
    <Dialog title="Invitation link" onClose={onClose}>
      <div class="stack">
        <p>
          Send this link to your teammate. It works once, expires on {formatDateTime(invitation.expires_at)},
          and will not be shown again.
        </p>
        <CopyField text={invitation.link} onCopy={() => copyToClipboard(invitation.link, "Link")} primary />
      </div>
    </Dialog>
  );
}
