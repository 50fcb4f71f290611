"""What chat does from time to time: each task, and how often."""

from __future__ import annotations

from parley.chat import timeouts
from parley.chat.assignment.timeouts import SWEEP_SECONDS
from parley.chat.features import Features
from parley.common.runtime.service import Service
from parley.common.runtime.tasks import PeriodicTask


def add_periodic_tasks(service: Service, features: Features) -> None:
    admin, conversations = features.admin, features.conversations
    remove_reports = admin.report_collector.remove_deleted_sites
    for seconds, work, name in (
        (timeouts.REPLY_TIMEOUT_CHECK_SECONDS, conversations.operator_timeouts.return_overdue, "operator-timeouts"),
        (SWEEP_SECONDS, conversations.assigner.assign_waiting_everywhere, "assignments"),
        (timeouts.ERASURE_CHECK_SECONDS, features.personal_data.finish_due, "erasures"),
        (timeouts.SILENT_VISITOR_CHECK_SECONDS, conversations.visitors.remove_silent, "silent-visitors"),
        (timeouts.SNOOZE_CHECK_SECONDS, conversations.snoozes.wake_due, "snoozes"),
        (timeouts.VISITOR_SILENCE_CHECK_SECONDS, conversations.visitor_silences.check_due, "silences"),
        (timeouts.LABEL_REMOVAL_CHECK_SECONDS, conversations.label_removal.remove_deleted, "label-removal"),
        (timeouts.ORPHAN_CHECK_SECONDS, admin.canned_replies.remove_orphaned, "orphaned-canned-replies"),
        (timeouts.ORPHAN_CHECK_SECONDS, admin.labels.remove_orphaned, "orphaned-labels"),
        (timeouts.ORPHAN_CHECK_SECONDS, conversations.lost_access.return_orphaned, "orphaned-conversations"),
        (timeouts.ORPHAN_CHECK_SECONDS, conversations.views.remove_orphaned, "orphaned-views"),
        (timeouts.REPORT_CHECK_SECONDS, admin.report_collector.build_due, "report-days"),
        (timeouts.DELETED_SITE_CHECK_SECONDS, remove_reports, "reports-of-deleted-sites"),
        (timeouts.UNSENT_IMAGE_CHECK_SECONDS, features.uploads.uploads.remove_unsent, "unsent-images"),
        (timeouts.EXPIRED_FILE_CHECK_SECONDS, features.files.remove_expired, "expired-files"),
        (timeouts.SEARCH_SEGMENT_CHECK_SECONDS, features.search.segments.build_due, "search-segments"),
    ):
        service.add(PeriodicTask(seconds, work, name))
