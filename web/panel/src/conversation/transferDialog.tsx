/** Chooses the operator to whom a conversation is transferred. */
import { useSignal } from "@preact/signals";
import type { Conversation, TransferCandidate } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Switch } from "../components/controls";
import { Dialog } from "../components/dialog";
import { Avatar, EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { addSummaryNote, isCopilotAvailable } from "../copilot/copilot";
import { t } from "../i18n/i18n";
import { visitorName } from "../inbox/conversations";
import { me } from "../session/session";
import { teams } from "../teams/teams";
import { transferConversation, transferDialogFor, transferToTeam } from "./actions";

export function TransferDialog({ conversation }: { conversation: Conversation }) {
  const siteId = conversation.site_id;
  const fetched = useFetch(`operators/${siteId}`, () =>
    api.get("/operator/operators", { query: { site_id: siteId } }),
  );
  const candidates = fetched.value?.operators.filter((operator) => operator.id !== me.value?.id);
  const close = () => {
    transferDialogFor.value = null;
  };
  const withSummary = useSignal(false);
  const isSummarizing = useSignal(false);
  const siteTeams = teams.value.filter((team) => team.site_ids.includes(siteId));
  const choose = async (transfer: () => Promise<boolean>) => {
    if (isSummarizing.value) return;
    if (withSummary.value) {
      isSummarizing.value = true;
      // Without a summary the chat is transferred all the same: the visitor waits.
      await runWithToast(() => addSummaryNote(conversation.id));
      isSummarizing.value = false;
    }
    if (await transfer()) close();
  };
  return (
    <Dialog title={t("conversation.transferTitle", { name: visitorName(conversation) })} onClose={close}>
      {fetched.error ? (
        <FetchError fetched={fetched} />
      ) : !candidates ? (
        <Spinner />
      ) : candidates.length + siteTeams.length === 0 ? (
        <EmptyState icon="team" title={t("conversation.noOtherOperators")} />
      ) : (
        <>
          {isCopilotAvailable(siteId) && (
            <Switch
              on={withSummary.value}
              label={t("copilot.summaryForTransfer")}
              onChange={(on) => (withSummary.value = on)}
            />
          )}
          {isSummarizing.value && <p role="status">{t("copilot.writing")}</p>}
          <ul class="option-list">
            {siteTeams.map((team) => (
              <li key={`team-${team.id}`}>
                <button type="button" onClick={() => choose(() => transferToTeam(conversation.id, team))}>
                  <Icon name="team" />
                  <span class="option-name" dir="auto">
                    {team.name}
                  </span>
                  <span class="muted">{t("teams.members", { count: team.operator_ids.length })}</span>
                </button>
              </li>
            ))}
            {candidates.map((operator) => (
              <li key={operator.id}>
                <button
                  type="button"
                  onClick={() => choose(() => transferConversation(conversation.id, operator))}
                >
                  <Avatar name={operator.name} online={operator.online} small />
                  <span class="option-name" dir="auto">
                    {operator.name}
                  </span>
                  <span class="muted">
                    {describeStatus(operator)} · {t("common.chats", { count: operator.active_chats })}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}

function describeStatus({ online, notifiable }: TransferCandidate): string {
  if (online) return t("common.online");
  if (notifiable === false) return t("conversation.offlineNotNotifiable");
  return notifiable ? t("conversation.offlineNotifiable") : t("common.offline");
}
