/** What a manager does with a tool or an MCP server, at the end of its row. */

import type { ComponentChildren } from "preact";
import { IconButton, Switch } from "../components/controls";
import { confirmAction, runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";

interface RowActionsProps {
  name: string;
  enabled: boolean;
  deleteTitle: string;
  deletedText: string;
  setEnabled: (enabled: boolean) => Promise<unknown>;
  replaceSecret: () => Promise<{ secret?: string | null }>;
  remove: () => Promise<unknown>;
  onEdit: () => void;
  /** With the secret, if there is a new one. */
  onChanged: (secret?: string | null) => void;
  /** Buttons between the switch and the others. */
  children: ComponentChildren;
}

export function RowActions(props: RowActionsProps) {
  const { name, onChanged } = props;
  const toggle = async (enabled: boolean) => {
    if (await runWithToast(() => props.setEnabled(enabled), t("common.saved"))) onChanged();
  };
  const replaceSecret = async () => {
    const confirmed = await confirmAction({
      title: t("tools.newSecretTitle"),
      text: t("tools.newSecretText"),
      confirmLabel: t("tools.replace"),
      destructive: true,
    });
    if (!confirmed) return;
    await runWithToast(async () => onChanged((await props.replaceSecret()).secret), t("common.saved"));
  };
  const remove = async () => {
    const confirmed = await confirmAction({
      title: props.deleteTitle,
      text: name,
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    if (confirmed && (await runWithToast(props.remove, props.deletedText))) onChanged();
  };
  return (
    <>
      <Switch on={props.enabled} label={t("tools.enabled")} onChange={toggle} />
      {props.children}
      <IconButton icon="key" label={t("tools.newSecret", { name })} onClick={replaceSecret} />
      <IconButton icon="pencil" label={t("tools.edit", { name })} onClick={props.onEdit} />
      <IconButton icon="trash" label={t("tools.delete", { name })} onClick={remove} />
    </>
  );
}
