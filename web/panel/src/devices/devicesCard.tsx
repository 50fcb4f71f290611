/** The settings' card of devices: push notifications in this browser, and what became of the last push to each device. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ResponseBody } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { IconButton } from "../components/controls";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { diagnose, ownDeviceId, type PushState, turnOff, turnOn, waitForArrival } from "./webPush";

type Device = ResponseBody<"get", "/operator/push-device">["devices"][number];
type Result = NonNullable<Device["last_result"]>;

export function DevicesCard() {
  const fetched = useFetch("/operator/push-device", () => api.get("/operator/push-device"));
  const state = useSignal<PushState | undefined>(undefined);
  const busy = useSignal(false);
  const notice = useSignal("");
  const run = async (work: () => Promise<void>) => {
    busy.value = true;
    notice.value = "";
    await runWithToast(work);
    await runWithToast(async () => {
      state.value = await diagnose();
      await fetched.reload();
    });
    busy.value = false;
  };
  useEffect(() => void run(async () => undefined), []);
  const toggle = () =>
    run(async () => {
      if (state.value === "ready") await turnOff();
      else await turnOn();
    });
  const remove = (device: Device) =>
    run(async () => {
      if (device.id === ownDeviceId.value) await turnOff();
      else await api.delete("/operator/push-device", { query: { device_id: device.id } });
    });
  const test = (device: Device) =>
    run(async () => {
      const isOwn = device.id === ownDeviceId.value;
      const arrival = isOwn ? waitForArrival() : undefined;
      const { result } = await api.post("/operator/push-device/test", { body: { device_id: device.id } });
      if (result.outcome !== "sent") notice.value = describeResult(result);
      else if (!arrival) notice.value = t("devices.lookAtDevice");
      else notice.value = (await arrival) ? t("devices.testArrived") : t("devices.testLost");
    });
  return (
    <section class="card stack" id="push">
      <h2>{t("devices.title")}</h2>
      <p class="muted">{t("devices.intro")}</p>
      {state.value && (
        <>
          <p role="status" class={state.value === "ready" ? "" : "notice"}>
            {t(`devices.state_${state.value}`)}
          </p>
          {(state.value === "off" || state.value === "ready") && (
            <div class="form-actions">
              <button type="button" class="button" disabled={busy.value} onClick={toggle}>
                {state.value === "ready" ? t("devices.turnOff") : t("devices.turnOn")}
              </button>
            </div>
          )}
        </>
      )}
      {notice.value && (
        <p role="status" class="notice">
          {notice.value}
        </p>
      )}
      {fetched.error ? (
        <FetchError fetched={fetched} />
      ) : !fetched.value ? (
        <Spinner />
      ) : (
        <ul class="api-keys" aria-label={t("devices.list")}>
          {fetched.value.devices.map((device) => (
            <li key={device.id}>
              <Icon name="bell" size={16} />
              <strong dir="auto">{device.name || device.platform}</strong>
              {device.id === ownDeviceId.value && <span class="tag">{t("devices.thisBrowser")}</span>}
              <span class="muted">{describeDevice(device)}</span>
              <span class="grow" />
              <button type="button" class="text-button" disabled={busy.value} onClick={() => test(device)}>
                {t("devices.test")}
              </button>
              <IconButton icon="trash" label={t("devices.remove")} onClick={() => remove(device)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function describeDevice(device: Device): string {
  const registered = t("devices.registered", { time: formatTimeOrDate(device.registered_at) });
  if (!device.last_result) return `${registered} · ${t("devices.neverUsed")}`;
  return `${registered} · ${formatTimeOrDate(device.last_result.at)}: ${describeResult(device.last_result)}`;
}

function describeResult(result: Result): string {
  const reason = result.message || result.code || String(result.status);
  switch (result.outcome) {
    case "sent":
      return t("devices.result_sent");
    case "unregistered":
      return t("devices.result_unregistered");
    case "later":
      return t("devices.result_later", { reason });
    case "refused":
      return t("devices.result_refused", { reason });
  }
}
