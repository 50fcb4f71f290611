/** The HTTP API's types. Generated from the OpenAPI document by `make web-types`: do not edit. */

export interface paths {
    "/api/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getApiKeys"];
        put?: never;
        post: operations["postApiKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["deleteApiKeysId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/change-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postAuthChangePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postAuthLogin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postAuthLogout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postAuthLogoutAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getAuthMe"];
        put: operations["putAuthMe"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postAuthRefresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canned-replies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getCannedReplies"];
        put?: never;
        post: operations["postCannedReplies"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canned-replies/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putCannedRepliesId"];
        post?: never;
        delete: operations["deleteCannedRepliesId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/canned-replies/{id}/use": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postCannedRepliesIdUse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/block-status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatBlockStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/contact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatContact"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/end-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatEndSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/form": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatForm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/handoff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatHandoff"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatHeartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/identify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatIdentify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/offline-form": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatOfflineForm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/operator-messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatOperatorMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/pending-proactive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatPendingProactive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/rate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatRate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatRead"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatStream"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/transcript": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatTranscript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/transcript/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatTranscriptEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/triggers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getChatTriggers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/triggers/opened": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatTriggersOpened"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/triggers/show": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatTriggersShow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/typing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatTyping"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/upload-file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatUploadFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/chat/upload-image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postChatUploadImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getConversationsIdMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postInvitationsAccept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getLabels"];
        put?: never;
        post: operations["postLabels"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/labels/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putLabelsId"];
        post?: never;
        delete: operations["deleteLabelsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/accept/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorAcceptId"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/active-chats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorActiveChats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/all-active-chats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorAllActiveChats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/all-chat-counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorAllChatCounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/all-online-visitors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorAllOnlineVisitors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/blocked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorBlocked"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/close/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorCloseId"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorConversationId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/block": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdBlock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/copilot/rewrite": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdCopilotRewrite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/copilot/suggestion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdCopilotSuggestion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/copilot/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdCopilotSummary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putOperatorConversationIdLabels"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/mentions/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdMentionsRead"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdRead"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/reopen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdReopen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/snooze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putOperatorConversationIdSnooze"];
        post?: never;
        delete: operations["deleteOperatorConversationIdSnooze"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/transcript/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdTranscriptEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/viewing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationIdViewing"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversation/{id}/visitor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putOperatorConversationIdVisitor"];
        post: operations["postOperatorConversationIdVisitor"];
        delete?: never;
        options?: never;
        head?: never;
        patch: operations["patchOperatorConversationIdVisitor"];
        trace?: never;
    };
    "/api/v1/operator/conversations/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationsBulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/conversations/bulk/{action_id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorConversationsBulkActionIdUndo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/fcm-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorFcmToken"];
        delete: operations["deleteOperatorFcmToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/fcm-token/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorFcmTokenTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorHeartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/mentions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorMentions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/message": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/note": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorNote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/online-visitors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorOnlineVisitors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/operators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorOperators"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/proactive-message": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorProactiveMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/push-device": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorPushDevice"];
        put?: never;
        post?: never;
        delete: operations["deleteOperatorPushDevice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/push-device/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorPushDeviceTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/push-subscription": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorPushSubscription"];
        delete: operations["deleteOperatorPushSubscription"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/push-subscription/key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorPushSubscriptionKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/release/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorReleaseId"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorSearch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/set-status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorSetStatus"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorStream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/stream-ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorStreamTicket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/transfer/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorTransferId"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/translation/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorTranslationPreview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/translation/set-lang": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorTranslationSetLang"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/translation/toggle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorTranslationToggle"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/typing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorTyping"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/upload-file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorUploadFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/upload-image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorUploadImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/visitor/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postOperatorVisitorErase"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operator/visitor/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperatorVisitorExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReportsExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSites"];
        put?: never;
        post: operations["postSites"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteId"];
        put: operations["putSitesSiteId"];
        post?: never;
        delete: operations["deleteSitesSiteId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbot"];
        put: operations["putSitesSiteIdChatbot"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotCheck"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/knowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotKnowledge"];
        put?: never;
        post: operations["postSitesSiteIdChatbotKnowledge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/knowledge/{entry_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdChatbotKnowledgeEntryId"];
        post?: never;
        delete: operations["deleteSitesSiteIdChatbotKnowledgeEntryId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/mcp-servers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotMcpServers"];
        put?: never;
        post: operations["postSitesSiteIdChatbotMcpServers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/mcp-servers/{server_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdChatbotMcpServersServerId"];
        post?: never;
        delete: operations["deleteSitesSiteIdChatbotMcpServersServerId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/mcp-servers/{server_id}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotMcpServersServerIdCheck"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/mcp-servers/{server_id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotMcpServersServerIdSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/mcp-servers/{server_id}/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdChatbotMcpServersServerIdTools"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/mcp-servers/{server_id}/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotMcpServersServerIdTry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTests"];
        put?: never;
        post: operations["postSitesSiteIdChatbotTests"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTestsExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/generate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotTestsGenerate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotTestsImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotTestsRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTestsRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTestsRunsRunId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/runs/{run_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotTestsRunsRunIdCancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/runs/{run_id}/replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTestsRunsRunIdReplays"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/runs/{run_id}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTestsRunsRunIdResults"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tests/{test_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdChatbotTestsTestId"];
        post?: never;
        delete: operations["deleteSitesSiteIdChatbotTestsTestId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotTools"];
        put?: never;
        post: operations["postSitesSiteIdChatbotTools"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tools/{tool_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdChatbotToolsToolId"];
        post?: never;
        delete: operations["deleteSitesSiteIdChatbotToolsToolId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tools/{tool_id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotToolsToolIdSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/tools/{tool_id}/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdChatbotToolsToolIdTry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/chatbot/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdChatbotUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/cited-passages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdCitedPassages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdConversations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/copilot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdCopilot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/corrections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdCorrections"];
        put?: never;
        post: operations["postSitesSiteIdCorrections"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/corrections/{correction_id}/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdCorrectionsCorrectionIdApply"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/corrections/{correction_id}/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdCorrectionsCorrectionIdConversations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/forms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdForms"];
        put: operations["putSitesSiteIdForms"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/identity-secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdIdentitySecrets"];
        put?: never;
        post: operations["postSitesSiteIdIdentitySecrets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/identity-secrets/{secret_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["deleteSitesSiteIdIdentitySecretsSecretId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge-gaps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdKnowledgeGaps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge-gaps/{gap_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdKnowledgeGapsGapId"];
        put: operations["putSitesSiteIdKnowledgeGapsGapId"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge-gaps/{gap_id}/entry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdKnowledgeGapsGapIdEntry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdKnowledgeSources"];
        put?: never;
        post: operations["postSitesSiteIdKnowledgeSources"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdKnowledgeSourcesSourceId"];
        put: operations["putSitesSiteIdKnowledgeSourcesSourceId"];
        post?: never;
        delete: operations["deleteSitesSiteIdKnowledgeSourcesSourceId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdKnowledgeSourcesSourceIdApprove"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/documents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdKnowledgeSourcesSourceIdDocuments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentId"];
        post?: never;
        delete: operations["deleteSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentIdApprove"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentIdChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentIdReject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdKnowledgeSourcesSourceIdSync"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/knowledge/sources/{source_id}/upload-file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdKnowledgeSourcesSourceIdUploadFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/leads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdLeads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/my-access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdMyAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/ratings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdRatings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/ratings/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdRatingsStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/rotate-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdRotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/routing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdRouting"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/team": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdTeam"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/team/{operator_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdTeamOperatorId"];
        post?: never;
        delete: operations["deleteSitesSiteIdTeamOperatorId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/texts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdTexts"];
        put: operations["putSitesSiteIdTexts"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/texts/translate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdTextsTranslate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/trigger-counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdTriggerCounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/trigger-order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdTriggerOrder"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/triggers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdTriggers"];
        put?: never;
        post: operations["postSitesSiteIdTriggers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/triggers/{trigger_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putSitesSiteIdTriggersTriggerId"];
        post?: never;
        delete: operations["deleteSitesSiteIdTriggersTriggerId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/triggers/{trigger_id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postSitesSiteIdTriggersTriggerIdPreview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sites/{site_id}/widget-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getSitesSiteIdWidgetCode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/team": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getTeam"];
        put?: never;
        post: operations["postTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/team/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getTeamId"];
        put: operations["putTeamId"];
        post?: never;
        delete: operations["deleteTeamId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/team/{id}/invitation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["postTeamIdInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getTeams"];
        put?: never;
        post: operations["postTeams"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putTeamsId"];
        post?: never;
        delete: operations["deleteTeamsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getViews"];
        put?: never;
        post: operations["postViews"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getViewsCounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["putViewsId"];
        post?: never;
        delete: operations["deleteViewsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        ErrorResponse: {
            /**
             * @default false
             * @constant
             */
            success: false;
            error: string;
            code: string;
            request_id: string;
            /** @default null */
            errors: {
                [key: string]: string;
            } | null;
        } & {
            [key: string]: unknown;
        };
        InvitationBody: {
            token: string;
            password: string;
            name: string;
        };
        LoginBody: {
            email: string;
            password: string;
            device_token?: string | null;
            tenant_id?: number | null;
        };
        LoginResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            token: string;
            expires_in: number;
            refresh_token: string;
            /** @default null */
            device_token: string | null;
            /** @default 0 */
            failed_attempts: number;
            user: components["schemas"]["UserSchema"];
        };
        LogoutBody: {
            refresh_token?: string | null;
        };
        /** @enum {string} */
        Permission: "can_chat" | "can_view_conversations" | "can_manage";
        RefreshBody: {
            refresh_token: string;
        };
        SuccessResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
        };
        UserSchema: {
            id: number;
            name: string;
            email: string;
            language: string;
            owner: boolean;
            sites: {
                [key: string]: components["schemas"]["Permission"][];
            };
        };
        AccountResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            user: components["schemas"]["AccountSchema"];
        };
        AccountSchema: {
            id: number;
            email: string;
            name: string;
            language: string;
            owner: boolean;
            tenant: components["schemas"]["TenantSchema"];
            sites: {
                [key: string]: components["schemas"]["Permission"][];
            };
        };
        AffectedConversationSchema: {
            conversation: components["schemas"]["ConversationSchema"];
            seqs: number[];
        };
        AffectedConversationsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversations: components["schemas"]["AffectedConversationSchema"][];
            next_cursor: string | null;
        };
        AiCapsBody: {
            site?: number | null;
            address?: number | null;
            session?: number | null;
            conversation?: number | null;
            /** @enum {string} */
            when_reached?: "handoff" | "builtin";
        };
        AiCapsSchema: {
            site: number | null;
            address: number | null;
            session: number | null;
            conversation: number | null;
            /** @enum {string} */
            when_reached: "handoff" | "builtin";
        };
        AiErrorSchema: {
            message: string;
            code: string;
            /** Format: date-time */
            at: string;
        };
        AiPricesBody: {
            currency?: string;
            input?: number | null;
            output?: number | null;
            embedding?: number | null;
        };
        AiPricesSchema: {
            currency: string;
            input: number | null;
            output: number | null;
            embedding: number | null;
        };
        AiSettingsBody: {
            base_url?: string | null;
            api_key?: string | null;
            temperature?: number | null;
            seconds?: number | null;
            answer_tokens?: number | null;
            daily_tokens?: number | null;
            embeddings?: ("local" | "endpoint" | "none") | null;
            embedding_model?: string | null;
            images?: boolean | null;
        };
        AiSettingsSchema: {
            base_url: string | null;
            api_key_set: boolean;
            temperature: number | null;
            seconds: number | null;
            answer_tokens: number | null;
            daily_tokens: number | null;
            /** @enum {string} */
            embeddings: "local" | "endpoint" | "none";
            embedding_model: string | null;
            images: boolean;
        };
        AiUsageSchema: {
            conversations: number;
            unknown: number;
            input_tokens: number;
            output_tokens: number;
            embedding_tokens: number;
            priced: number;
            currency: string | null;
            cost: number | null;
            cost_per_conversation: number | null;
            cost_per_resolved: number | null;
        };
        AllQueuesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            chats: components["schemas"]["ConversationSchema"][];
            /** @default null */
            next_cursor: string | null;
            current_user_id: number;
        };
        AllowedToolSchema: {
            name: string;
            title: string;
            description: string;
            writes: boolean;
            identified_only: boolean;
            /** @enum {string} */
            state: "ok" | "changed" | "missing";
            allowed_at: string;
        };
        AllowedToolsBody: {
            tools: components["schemas"]["ToolChoiceSchema"][];
        };
        AnswerTestBody: {
            question: string;
            language?: string | null;
            /** @enum {string} */
            expected?: "answer" | "decline" | "handoff";
            must_say?: string[][];
            must_not_say?: string[];
            must_cite?: string[][];
            enabled?: boolean;
        };
        AnswerTestListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            tests: components["schemas"]["AnswerTestSchema"][];
            next_cursor: string | null;
        };
        AnswerTestResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            test: components["schemas"]["AnswerTestSchema"];
        };
        AnswerTestSchema: {
            /** @enum {string} */
            expected: "answer" | "decline" | "handoff";
            must_say: string[][];
            must_not_say: string[];
            must_cite: string[][];
            id: number;
            question: string;
            language: string | null;
            enabled: boolean;
            /** @enum {string} */
            origin: "manual" | "chat" | "knowledge" | "import";
            conversation_id: number | null;
            created_at: string;
            updated_at: string;
        };
        ApiKeyListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            api_keys: components["schemas"]["ApiKeySchema"][];
            next_cursor: string | null;
        };
        ApiKeySchema: {
            id: number;
            name: string;
            prefix: string;
            created_at: string;
            last_used_at: string | null;
            scopes: components["schemas"]["Permission"][] | null;
            expires_at: string | null;
        };
        ApplyCorrectionBody: {
            question: string;
            answer: string;
            entry_id?: number | null;
            entry_version?: string | null;
        };
        ApprovedResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            approved: number;
        };
        ApprovedTextSchema: {
            content: string;
            stale: boolean;
            at: string;
            approved_by: components["schemas"]["OperatorRef"];
        };
        ArchiveQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            label_id: number | null;
            /** @default null */
            team_id: number | null;
            /** @default null */
            language: string | null;
            /** @default null */
            rating: number | null;
            /** @default null */
            search: string | null;
            /** @default 1 */
            page: number;
            /** @default null */
            per_page: number | null;
            /** @default null */
            status: string | null;
            /** @default null */
            since: string | null;
            /** @default null */
            until: string | null;
            /** @default null */
            operator_id: number | null;
        };
        ArchiveResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversations: components["schemas"]["ConversationSchema"][];
            /** @default null */
            next_cursor: string | null;
            pagination: components["schemas"]["Pagination"];
        };
        AskedFieldSchema: {
            key: string;
            /** @enum {string} */
            type: "name" | "email" | "phone" | "text" | "long_text" | "select" | "checkbox";
            label: string;
            required: boolean;
            options: string[];
            max_length: number;
            /** @default null */
            value: string | null;
        };
        AskedFormSchema: {
            title: string;
            intro: string;
            fields: components["schemas"]["AskedFieldSchema"][];
            departments: components["schemas"]["DepartmentSchema"][];
            consent: components["schemas"]["ConsentFormSchema"] | null;
        };
        AskedOfflineFormSchema: {
            title: string;
            intro: string;
            fields: components["schemas"]["AskedFieldSchema"][];
            departments: components["schemas"]["DepartmentSchema"][];
            consent: components["schemas"]["ConsentFormSchema"] | null;
            replaces_chat: boolean;
            confirmation: string;
        };
        AssignmentCandidateSchema: {
            operator: components["schemas"]["OperatorRef"];
            /** @enum {string} */
            status: "available" | "full" | "away" | "missed";
        };
        AuditEntrySchema: {
            id: number;
            at: string;
            operator: components["schemas"]["AuditOperatorSchema"];
            action: string;
            target: components["schemas"]["TargetSchema"];
            site_id: number | null;
            address: string;
            details: {
                [key: string]: unknown;
            };
        };
        AuditLogResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            entries: components["schemas"]["AuditEntrySchema"][];
            next_cursor: string | null;
        };
        AuditOperatorSchema: {
            id: number | null;
            name: string;
        };
        AuditQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            site_id: number | null;
            /** @default null */
            operator_id: number | null;
            /** @default null */
            action: string | null;
            /** @default null */
            from: string | null;
            /** @default null */
            to: string | null;
        };
        BlockBody: {
            blocked: boolean;
            /** @enum {string} */
            block_type?: "both" | "ai" | "operator";
        };
        BlockStatusResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            blocked: boolean;
            /** @default null */
            block_type: ("both" | "ai" | "operator") | null;
        };
        BlockedVisitorSchema: {
            session_id: string;
            /** @default null */
            name: string | null;
            /** @default null */
            email: string | null;
            /** @default null */
            phone: string | null;
            /** @default {} */
            info: {
                [key: string]: string;
            };
            /** @default null */
            language: string | null;
            /** @default null */
            blocked: ("both" | "ai" | "operator") | null;
            /** @default false */
            verified: boolean;
            /** @default null */
            external_id: string | null;
            /** @default [] */
            verified_fields: ("name" | "email" | "phone")[];
            /** @default {} */
            attributes: {
                [key: string]: string | boolean | number;
            };
            /** @default null */
            form: components["schemas"]["VisitorFormSchema"] | null;
            site_id: number;
            /** @default null */
            blocked_at: string | null;
        };
        BlockedVisitorsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            site_id: number;
        };
        BlockedVisitorsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            visitors: components["schemas"]["BlockedVisitorSchema"][];
            /** @default null */
            next_cursor: string | null;
        };
        BulkBody: {
            /** @enum {string} */
            action: "close" | "assign" | "label" | "unlabel" | "snooze" | "unsnooze";
            conversation_ids: number[];
            operator_id?: number | null;
            team_id?: number | null;
            label_ids?: number[];
            until?: string | null;
        };
        BulkResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            action_id: number | null;
            results: components["schemas"]["ConversationResultSchema"][];
        };
        BusinessHoursBody: {
            time_zone: string;
            weekly?: components["schemas"]["TimeRangeBody"][];
            closed?: string[];
        };
        BusinessHoursSchema: {
            time_zone: string;
            weekly: components["schemas"]["TimeRangeSchema"][];
            closed: string[];
        };
        CannedRepliesQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            site_id: number | null;
            /** @default null */
            q: string | null;
        };
        CannedRepliesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            canned_replies: components["schemas"]["CannedReplySchema"][];
            next_cursor: string | null;
        };
        CannedReplyBody: {
            shortcut: string;
            text: string;
            /** @enum {string} */
            scope?: "mine" | "site" | "all";
            site_id?: number | null;
            image_url?: string | null;
            file_id?: string | null;
            quick_replies?: components["schemas"]["QuickReplyBody"][];
        };
        CannedReplyResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            canned_reply: components["schemas"]["CannedReplySchema"];
        };
        CannedReplySchema: {
            id: number;
            shortcut: string;
            text: string;
            /** @enum {string} */
            scope: "mine" | "site" | "all";
            site_id: number | null;
            operator_id: number;
            image_url: string | null;
            file: components["schemas"]["FileSchema"] | null;
            quick_replies: components["schemas"]["QuickReply"][];
            use_count: number;
            created_at: string;
            updated_at: string;
        };
        ChatbotBody: {
            name?: string | null;
            welcome?: string | null;
            colours?: components["schemas"]["ColoursBody"] | null;
            engine?: ("builtin" | "openai") | null;
            model?: string | null;
            instructions?: string | null;
            operator_timeout?: number | null;
            on_timeout?: ("ai" | "queue") | null;
            routing?: ("all" | "manual") | null;
            auto_close_minutes?: number | null;
            auto_close_notice_minutes?: number | null;
            offline_message?: string | null;
            private_push?: boolean | null;
            hours?: components["schemas"]["BusinessHoursBody"] | null;
            translation?: components["schemas"]["TranslationSettingsBody"] | null;
            ai?: components["schemas"]["AiSettingsBody"] | null;
            fallbacks?: components["schemas"]["parley__chat__sites__settings_schemas__FallbackBody"][] | null;
            caps?: components["schemas"]["AiCapsBody"] | null;
            prices?: components["schemas"]["AiPricesBody"] | null;
            files?: components["schemas"]["FilesSettingsBody"] | null;
            require_answer_tests?: boolean | null;
        };
        ChatbotResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            chatbot: components["schemas"]["ChatbotSchema"];
        };
        ChatbotSchema: {
            name: string;
            welcome: string;
            colours: components["schemas"]["ColoursSchema"];
            /** @enum {string} */
            engine: "builtin" | "openai";
            model: string | null;
            instructions: string;
            operator_timeout: number;
            /** @enum {string} */
            on_timeout: "ai" | "queue";
            /** @enum {string} */
            routing: "all" | "manual";
            auto_close_minutes: number;
            auto_close_notice_minutes: number;
            offline_message: string;
            private_push: boolean;
            hours: components["schemas"]["BusinessHoursSchema"] | null;
            translation: components["schemas"]["TranslationSettingsSchema"];
            ai: components["schemas"]["AiSettingsSchema"];
            fallbacks: components["schemas"]["parley__chat__sites__settings_schemas__FallbackSchema"][];
            failing_engines: components["schemas"]["EngineStateSchema"][];
            caps: components["schemas"]["AiCapsSchema"];
            prices: components["schemas"]["AiPricesSchema"];
            files: components["schemas"]["FilesSettingsSchema"];
            require_answer_tests: boolean;
            last_error: components["schemas"]["AiErrorSchema"] | null;
            check: components["schemas"]["EngineCheckSchema"] | null;
        };
        CheckBody: {
            engine?: string | null;
            base_url?: string | null;
            api_key?: string | null;
            model?: string | null;
            embeddings?: ("local" | "endpoint" | "none") | null;
            embedding_model?: string | null;
        };
        CheckStepSchema: {
            /** @enum {string} */
            name: "endpoint" | "key" | "model" | "reply" | "parameters" | "streaming" | "usage" | "tools" | "json" | "images" | "embeddings";
            /** @enum {string} */
            status: "ok" | "limited" | "failed";
            code: string;
            message: string;
        };
        CitedPassageSchema: {
            /** @enum {string} */
            kind: "knowledge" | "document";
            source_id: number;
            /** @enum {string} */
            state: "current" | "changed" | "gone";
            title: string;
            text: string;
            url: string | null;
            /** @default null */
            version: string | null;
        };
        CitedPassagesQuery: {
            conversation_id: number;
            seq: number;
        };
        CitedPassagesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            question: string;
            answer: string;
            passages: components["schemas"]["CitedPassageSchema"][];
        };
        ColoursBody: {
            primary?: string | null;
            background?: string | null;
        };
        ColoursSchema: {
            primary: string;
            background: string;
        };
        ConfigQuery: {
            site_key: string;
            /** @default null */
            session_id: string | null;
            /** @default null */
            lang: string | null;
        };
        ConfigResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            name: string;
            welcome: string;
            colours: {
                [key: string]: string;
            };
            language: string;
            operators_online: boolean;
            offline_message: string;
            open: boolean;
            /** @default null */
            opens_at: string | null;
            files: components["schemas"]["FileLimitsSchema"];
            /** @default null */
            prechat_form: components["schemas"]["AskedFormSchema"] | null;
            /** @default null */
            offline_form: components["schemas"]["AskedOfflineFormSchema"] | null;
            /** @default true */
            page_tracking: boolean;
            page_parameters?: string[];
            /** @default true */
            sound: boolean;
            /** @default true */
            read_receipts: boolean;
            /** @default false */
            transcript_email: boolean;
        };
        ConfirmationSchema: {
            id: string;
            title: string;
            expires_at: string;
        };
        ConsentAnswerBody: {
            given: boolean;
            version: number;
        };
        ConsentBody: {
            text: string;
            required?: boolean;
        };
        ConsentFormSchema: {
            text: string;
            required: boolean;
            version: number;
        };
        ConsentSchema: {
            given: boolean;
            version: number;
            /** @default null */
            language: string | null;
            at: string;
        };
        ConsentTextSchema: {
            version: number;
            text: string;
            since: string;
        };
        ContactBody: {
            site_key: string;
            session_id?: string | null;
            name?: string | null;
            email?: string | null;
            phone?: string | null;
        };
        ConversationDetailResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation: components["schemas"]["ConversationDetailSchema"];
        };
        ConversationDetailSchema: {
            id: number;
            site_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            visitor: components["schemas"]["VisitorSchema"];
            /** @default null */
            operator: components["schemas"]["OperatorRef"] | null;
            /** @default null */
            last_message: components["schemas"]["LastMessage"] | null;
            /** @default null */
            last_visitor_message: components["schemas"]["LastMessage"] | null;
            /** @default 0 */
            last_seq: number;
            /** @default 0 */
            unread: number;
            /** @default 0 */
            operator_read_seq: number;
            /** @default 0 */
            visitor_read_seq: number;
            /** @default null */
            waiting_since: string | null;
            /** @default null */
            reply_due_at: string | null;
            /** @default null */
            team_id: number | null;
            /** @default null */
            previous_id: number | null;
            /** @default null */
            rating: number | null;
            /** @default [] */
            labels: number[];
            /** @default null */
            snoozed_until: string | null;
            created_at: string;
            updated_at: string;
            /** @default 0 */
            version: number;
            messages: components["schemas"]["MessageSchema"][];
            notes: components["schemas"]["NoteSchema"][];
            translation: components["schemas"]["TranslationStateSchema"];
            history: components["schemas"]["HistoryEntrySchema"][];
            reads: components["schemas"]["ReadMarkSchema"][];
            previous: components["schemas"]["ConversationSchema"][];
            ai_usage: components["schemas"]["ConversationUsageSchema"] | null;
        };
        ConversationRef: {
            conversation_id: number;
        };
        ConversationResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation: components["schemas"]["ConversationSchema"];
        };
        ConversationResultSchema: {
            conversation_id: number;
            success: boolean;
            /** @default null */
            error: string | null;
            /** @default null */
            code: string | null;
            /** @default null */
            errors: {
                [key: string]: string;
            } | null;
        };
        ConversationSchema: {
            id: number;
            site_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            visitor: components["schemas"]["VisitorSchema"];
            /** @default null */
            operator: components["schemas"]["OperatorRef"] | null;
            /** @default null */
            last_message: components["schemas"]["LastMessage"] | null;
            /** @default null */
            last_visitor_message: components["schemas"]["LastMessage"] | null;
            /** @default 0 */
            last_seq: number;
            /** @default 0 */
            unread: number;
            /** @default 0 */
            operator_read_seq: number;
            /** @default 0 */
            visitor_read_seq: number;
            /** @default null */
            waiting_since: string | null;
            /** @default null */
            reply_due_at: string | null;
            /** @default null */
            team_id: number | null;
            /** @default null */
            previous_id: number | null;
            /** @default null */
            rating: number | null;
            /** @default [] */
            labels: number[];
            /** @default null */
            snoozed_until: string | null;
            created_at: string;
            updated_at: string;
            /** @default 0 */
            version: number;
        };
        ConversationUsageSchema: {
            input_tokens: number;
            output_tokens: number;
            embedding_tokens: number;
            cost: number | null;
            currency: string;
        };
        CopilotResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            available: boolean;
        };
        CorrectionBody: {
            conversation_id: number;
            seq: number;
            note?: string;
            right_answer: string;
        };
        CorrectionListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            corrections: components["schemas"]["CorrectionSchema"][];
            next_cursor: string | null;
        };
        CorrectionResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            correction: components["schemas"]["CorrectionSchema"];
        };
        CorrectionSchema: {
            id: number;
            conversation_id: number | null;
            seq: number | null;
            question: string;
            wrong_answer: string;
            note: string;
            right_answer: string;
            passages: number;
            by: components["schemas"]["OperatorRef"];
            at: string;
            entry_id: number | null;
        };
        CountsQuery: {
            /** @default 30 */
            days: number;
        };
        CountsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            pending: number;
            active: number;
            sites: {
                [key: string]: components["schemas"]["SiteCountsSchema"];
            };
        };
        CreateApiKeyBody: {
            name: string;
            scopes?: components["schemas"]["Permission"][] | null;
            expires_at?: string | null;
        };
        CreateIdentitySecretBody: {
            name: string;
        };
        CreateMemberBody: {
            /** Format: email */
            email: string;
            name: string;
            password?: string | null;
            site_ids?: number[];
            permissions?: components["schemas"]["PermissionsBody"];
            owner?: boolean;
            language?: string;
        };
        CreateSiteBody: {
            name: string;
            domains?: string[];
            any_origin?: boolean;
            language?: string;
            page_tracking?: boolean;
            page_parameters?: string[];
            sound?: boolean;
            read_receipts?: boolean;
            transcript_email?: boolean;
        };
        CreatedApiKeyResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            api_key: components["schemas"]["ApiKeySchema"];
            key: string;
        };
        CreatedIdentitySecretResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            identity_secret: components["schemas"]["IdentitySecretSchema"];
            secret: string;
        };
        CreatedMemberResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            member: components["schemas"]["MemberSchema"];
            invitation: components["schemas"]["InvitationSchema"] | null;
        };
        DepartmentBody: {
            team_id: number | null;
            label: string;
        };
        DepartmentSchema: {
            team_id: number | null;
            label: string;
        };
        DocumentBody: {
            enabled: boolean;
        };
        DocumentChangesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            changes: components["schemas"]["SectionChangeSchema"][];
        };
        DocumentCountsSchema: {
            ready: number;
            failed: number;
            skipped: number;
            pending: number;
            passages: number;
        };
        DocumentsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            status: ("waiting" | "ready" | "failed" | "skipped") | null;
            /** @default false */
            pending: boolean;
        };
        DraftTextSchema: {
            content: string;
            stale: boolean;
            at: string;
        };
        DurationSchema: {
            count: number;
            average_seconds: number | null;
            median_seconds: number | null;
            p90_seconds: number | null;
        };
        EmailBody: {
            site_key: string;
            session_id?: string | null;
            /** Format: email */
            email: string;
            name?: string | null;
        };
        EndSessionsBody: {
            revoke_api_keys?: boolean;
        };
        EngineCheckResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            check: components["schemas"]["EngineCheckSchema"];
        };
        EngineCheckSchema: {
            /** Format: date-time */
            at: string;
            ok: boolean;
            model: string;
            steps: components["schemas"]["CheckStepSchema"][];
            first_word_seconds: number | null;
            tokens: number;
            known_models: string[];
        };
        EngineStateSchema: {
            engine: string;
            /** Format: date-time */
            since: string;
            retry_at: string | null;
            error: components["schemas"]["AiErrorSchema"];
        };
        EraseBody: {
            site_id: number;
            session_id: string;
        };
        EraseResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            erased: components["schemas"]["ErasedCounts"];
        };
        ErasedCounts: {
            conversations: number;
            messages: number;
            notes: number;
            images: number;
            files: number;
            /** @default 0 */
            triggers: number;
        };
        ExportResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            export: components["schemas"]["ExportSchema"];
        };
        ExportSchema: {
            site_id: number;
            session_id: string;
            exported_at: string;
            /** @default null */
            visitor: components["schemas"]["ExportedVisitor"] | null;
            conversations: components["schemas"]["ExportedConversation"][];
            images: string[];
            files: components["schemas"]["ExportedFile"][];
            derived: components["schemas"]["ExportedText"][];
            triggers?: components["schemas"]["ExportedTrigger"][];
            elsewhere: {
                [key: string]: {
                    [key: string]: unknown;
                } | null;
            };
        };
        ExportedConversation: {
            id: number;
            site_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            visitor: components["schemas"]["VisitorSchema"];
            /** @default null */
            operator: components["schemas"]["OperatorRef"] | null;
            /** @default null */
            last_message: components["schemas"]["LastMessage"] | null;
            /** @default null */
            last_visitor_message: components["schemas"]["LastMessage"] | null;
            /** @default 0 */
            last_seq: number;
            /** @default 0 */
            unread: number;
            /** @default 0 */
            operator_read_seq: number;
            /** @default 0 */
            visitor_read_seq: number;
            /** @default null */
            waiting_since: string | null;
            /** @default null */
            reply_due_at: string | null;
            /** @default null */
            team_id: number | null;
            /** @default null */
            previous_id: number | null;
            /** @default null */
            rating: number | null;
            /** @default [] */
            labels: number[];
            /** @default null */
            snoozed_until: string | null;
            created_at: string;
            updated_at: string;
            /** @default 0 */
            version: number;
            /** @default null */
            rating_comment: string | null;
            /** @default null */
            rated_at: string | null;
            translation: components["schemas"]["TranslationStateSchema"];
            history: components["schemas"]["HistoryEntrySchema"][];
            messages: components["schemas"]["MessageSchema"][];
            notes: components["schemas"]["NoteSchema"][];
        };
        ExportedFile: {
            id: string;
            name: string;
            size: number;
            /** @enum {string} */
            kind: "pdf" | "document" | "text" | "audio" | "video";
            content_type: string;
            sha256: string;
        };
        ExportedText: {
            /** @enum {string} */
            kind: "answer_test" | "test_answer" | "unanswered_question" | "transcript_email" | "correction";
            text: string;
        };
        ExportedTrigger: {
            trigger_id: number;
            message: string;
            quick_replies: components["schemas"]["QuickReply"][];
            shown_at: string;
            opened: boolean;
            answered: boolean;
        };
        ExportedVisitor: {
            session_id: string;
            /** @default null */
            name: string | null;
            /** @default null */
            email: string | null;
            /** @default null */
            phone: string | null;
            /** @default {} */
            info: {
                [key: string]: string;
            };
            /** @default null */
            language: string | null;
            /** @default null */
            blocked: ("both" | "ai" | "operator") | null;
            /** @default false */
            verified: boolean;
            /** @default null */
            external_id: string | null;
            /** @default [] */
            verified_fields: ("name" | "email" | "phone")[];
            /** @default {} */
            attributes: {
                [key: string]: string | boolean | number;
            };
            /** @default null */
            form: components["schemas"]["VisitorFormSchema"] | null;
            given?: {
                [key: string]: string;
            };
            /** @default null */
            blocked_at: string | null;
            /** @default null */
            lead_at: string | null;
        };
        FieldBody: {
            key: string;
            /** @enum {string} */
            type: "name" | "email" | "phone" | "text" | "long_text" | "select" | "checkbox";
            label?: string;
            required?: boolean;
            options?: string[];
            max_length?: number;
        };
        FieldSchema: {
            key: string;
            /** @enum {string} */
            type: "name" | "email" | "phone" | "text" | "long_text" | "select" | "checkbox";
            label: string;
            required: boolean;
            options: string[];
            max_length: number;
        };
        FiguresSchema: {
            chats: number;
            closed: number;
            handoffs: number;
            handoff_reasons: {
                [key: string]: number;
            };
            requests: number;
            assigned: number;
            waiting: number;
            abandoned: number;
            abandoned_share: number | null;
            ai_replied: number;
            ai_resolved: number;
            ai_resolved_share: number | null;
            first_reply: components["schemas"]["DurationSchema"];
            wait: components["schemas"]["DurationSchema"];
            resolution: components["schemas"]["DurationSchema"];
            ratings: components["schemas"]["RatingsSchema"];
            ai_usage: components["schemas"]["AiUsageSchema"];
        };
        FileLimitsSchema: {
            enabled: boolean;
            kinds: ("pdf" | "document" | "text" | "audio" | "video")[];
            max_bytes: number;
        };
        FileResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            file: components["schemas"]["FileSchema"];
        };
        FileSchema: {
            id: string;
            url: string;
            name: string;
            size: number;
            /** @enum {string} */
            kind: "pdf" | "document" | "text" | "audio" | "video";
            content_type: string;
            /** @default null */
            duration: number | null;
            /** @default null */
            expires_at: string | null;
        };
        FilesSettingsBody: {
            enabled_for_visitors?: boolean;
            kinds?: ("pdf" | "document" | "text" | "audio" | "video")[];
            max_bytes?: number | null;
            expire_days?: number | null;
        };
        FilesSettingsSchema: {
            enabled_for_visitors: boolean;
            kinds: ("pdf" | "document" | "text" | "audio" | "video")[];
            max_bytes: number | null;
            expire_days: number | null;
        };
        FormAnswerSchema: {
            key: string;
            label: string;
            value: string | boolean;
        };
        FormAnswersBody: {
            site_key: string;
            session_id?: string | null;
            answers?: {
                [key: string]: string | boolean;
            };
            consent?: components["schemas"]["ConsentAnswerBody"] | null;
            team_id?: number | null;
            lang?: string | null;
        };
        FormsBody: {
            consent?: components["schemas"]["ConsentBody"] | null;
            departments?: components["schemas"]["DepartmentBody"][];
            prechat?: components["schemas"]["PrechatFormBody"];
            offline?: components["schemas"]["OfflineFormBody"];
        };
        FormsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            forms: components["schemas"]["SiteFormsSchema"];
            consent_texts: components["schemas"]["ConsentTextSchema"][];
        };
        GapDetailsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            gap: components["schemas"]["GapSchema"];
            examples: components["schemas"]["GapExampleSchema"][];
            weeks: components["schemas"]["GapWeekSchema"][];
            draft: components["schemas"]["GapDraftSchema"];
        };
        GapDraftSchema: {
            question: string;
            answer: string;
            conversation_id: number | null;
        };
        GapEntryBody: {
            question: string;
            answer: string;
        };
        GapExampleSchema: {
            conversation_id: number;
            seq: number;
            text: string;
            language: string | null;
            /** @enum {string} */
            outcome: "declined" | "handed_over";
            at: string;
        };
        GapListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            gaps: components["schemas"]["GapSchema"][];
            next_cursor: string | null;
        };
        GapResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            gap: components["schemas"]["GapSchema"];
        };
        GapSchema: {
            id: number;
            /** @enum {string} */
            state: "open" | "answered" | "dismissed";
            question: string;
            count: number;
            last_asked_at: string;
            languages: string[];
            entry_id: number | null;
            answered_at: string | null;
            reopened_at: string | null;
        };
        GapStateBody: {
            /** @enum {string} */
            state: "open" | "answered" | "dismissed";
        };
        GapWeekSchema: {
            week: string;
            count: number;
            total: number;
        };
        GapsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /**
             * @default open
             * @enum {string}
             */
            state: "open" | "answered" | "dismissed";
        };
        GeneratedResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            created: number;
        };
        GivenAnswerSchema: {
            /** @enum {string} */
            outcome: "answered" | "declined" | "handed_over" | "failed";
            text: string;
            sources: components["schemas"]["MessageSource"][];
            seconds: number;
            tokens: number;
            error: string | null;
            engine: string;
            verdict: ("right" | "wrong" | "unknown") | null;
            reasons: components["schemas"]["ReasonSchema"][];
        };
        /** @enum {string} */
        GroupBy: "hour" | "day" | "weekday" | "weekday_hour" | "site" | "team" | "operator" | "label" | "engine";
        HistoryEntrySchema: {
            at: string;
            action: string;
            /** @default null */
            by: components["schemas"]["OperatorRef"] | null;
            /** @default null */
            to: components["schemas"]["OperatorRef"] | null;
            /** @default null */
            reason: string | null;
            /** @default null */
            team: components["schemas"]["TeamRef"] | null;
            candidates?: components["schemas"]["AssignmentCandidateSchema"][];
        };
        HistoryQuery: {
            site_key: string;
            /** @default null */
            session_id: string | null;
            /** @default null */
            before_seq: number | null;
            /** @default 50 */
            limit: number;
        };
        HistoryResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            messages: components["schemas"]["WidgetMessage"][];
            /** @default null */
            conversation_id: number | null;
            /** @default null */
            mode: ("ai" | "pending" | "operator" | "closed") | null;
            /** @default null */
            queue: components["schemas"]["QueuePlaceSchema"] | null;
            /** @default null */
            operator: string | null;
            /** @default 0 */
            operator_read_seq: number;
            visitor: components["schemas"]["OwnDetails"];
        };
        HitConversationSchema: {
            id: number;
            site_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            /** @default null */
            visitor_name: string | null;
        };
        IdentifyBody: {
            site_key: string;
            session_id?: string | null;
            token: string;
        };
        IdentifyResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            session_id: string | null;
            joined: boolean;
            visitor: components["schemas"]["OwnDetails"];
            conversation_id: number | null;
            mode: ("ai" | "pending" | "operator" | "closed") | null;
        };
        IdentitySecretListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            identity_secrets: components["schemas"]["IdentitySecretSchema"][];
        };
        IdentitySecretSchema: {
            id: number;
            name: string;
            created_at: string;
            last_used_at: string | null;
        };
        ImportBody: {
            tests?: components["schemas"]["AnswerTestBody"][] | null;
            csv?: string | null;
        };
        ImportedResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            created: number;
            replaced: number;
        };
        InvitationResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            invitation: components["schemas"]["InvitationSchema"];
        };
        InvitationSchema: {
            token: string;
            link: string;
            expires_at: string;
        };
        KnowledgeDocumentResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            document: components["schemas"]["KnowledgeDocumentSchema"];
        };
        KnowledgeDocumentSchema: {
            id: number;
            name: string;
            url: string | null;
            title: string;
            language: string | null;
            /** @enum {string} */
            status: "waiting" | "ready" | "failed" | "skipped";
            error: components["schemas"]["SyncErrorSchema"] | null;
            enabled: boolean;
            pending: boolean;
            version: number;
            passages: number;
            size: number;
            fetched_at: string | null;
        };
        KnowledgeDocumentsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            documents: components["schemas"]["KnowledgeDocumentSchema"][];
            next_cursor: string | null;
        };
        KnowledgeEntryBody: {
            question: string;
            answer: string;
        };
        KnowledgeEntryResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            entry: components["schemas"]["KnowledgeEntrySchema"];
        };
        KnowledgeEntrySchema: {
            id: number;
            question: string;
            answer: string;
            version: string;
        };
        KnowledgeListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            knowledge: components["schemas"]["KnowledgeEntrySchema"][];
            next_cursor: string | null;
        };
        KnowledgeSourceResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            source: components["schemas"]["KnowledgeSourceSchema"];
        };
        KnowledgeSourceSchema: {
            id: number;
            /** @enum {string} */
            kind: "web_page" | "sitemap" | "crawl" | "file" | "csv";
            name: string;
            url: string | null;
            max_depth: number;
            max_pages: number;
            enabled: boolean;
            /** @enum {string} */
            schedule: "manual" | "hourly" | "daily" | "weekly";
            review: boolean;
            question_column: string | null;
            answer_column: string | null;
            created_at: string;
            sync: components["schemas"]["SyncSchema"];
            documents: components["schemas"]["DocumentCountsSchema"];
        };
        KnowledgeSourcesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            sources: components["schemas"]["KnowledgeSourceSchema"][];
            next_cursor: string | null;
        };
        LabelBody: {
            name: string;
            colour?: string;
            /** @enum {string} */
            scope?: "site" | "all";
            site_id?: number | null;
        };
        LabelChangeBody: {
            name: string;
            colour: string;
        };
        LabelResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            label: components["schemas"]["LabelSchema"];
        };
        LabelSchema: {
            id: number;
            name: string;
            colour: string;
            /** @enum {string} */
            scope: "site" | "all";
            site_id: number | null;
            created_at: string;
            updated_at: string;
        };
        LabelsBody: {
            labels: number[];
        };
        LabelsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            site_id: number | null;
        };
        LabelsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            labels: components["schemas"]["LabelSchema"][];
            next_cursor: string | null;
        };
        LastMessage: {
            seq: number;
            /** @enum {string} */
            role: "visitor" | "ai" | "operator" | "system";
            preview: string;
            created_at: string;
        };
        LeadSchema: {
            session_id: string;
            /** @default null */
            name: string | null;
            /** @default null */
            email: string | null;
            /** @default null */
            phone: string | null;
            /** @default {} */
            info: {
                [key: string]: string;
            };
            /** @default null */
            language: string | null;
            /** @default null */
            blocked: ("both" | "ai" | "operator") | null;
            /** @default false */
            verified: boolean;
            /** @default null */
            external_id: string | null;
            /** @default [] */
            verified_fields: ("name" | "email" | "phone")[];
            /** @default {} */
            attributes: {
                [key: string]: string | boolean | number;
            };
            /** @default null */
            form: components["schemas"]["VisitorFormSchema"] | null;
            site_id: number;
            /** @default null */
            lead_at: string | null;
        };
        LeadsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            leads: components["schemas"]["LeadSchema"][];
            /** @default null */
            next_cursor: string | null;
            pagination: components["schemas"]["Pagination"];
        };
        ListedToolSchema: {
            name: string;
            title: string;
            description: string;
            parameters: {
                [key: string]: unknown;
            };
            fingerprint: string;
            read_only_hint: boolean;
            fault: ("name" | "no_description" | "long_description" | "schema") | null;
        };
        McpCheckResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            server: components["schemas"]["McpServerSchema"];
            /** @enum {string} */
            outcome: "ok" | "http_error" | "timeout" | "unreachable" | "address_rejected" | "redirected" | "too_large" | "bad_content_type" | "failed" | "invalid_arguments" | "unknown_tool" | "tool_changed" | "limit_reached" | "asked" | "interrupted";
            tools: components["schemas"]["ListedToolSchema"][];
        };
        McpServerBody: {
            authorization?: string | null;
            name: string;
            url: string;
            enabled?: boolean;
        };
        McpServerListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            servers: components["schemas"]["McpServerSchema"][];
        };
        McpServerResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            server: components["schemas"]["McpServerSchema"];
            /** @default null */
            secret: string | null;
        };
        McpServerSchema: {
            id: number;
            name: string;
            url: string;
            enabled: boolean;
            has_authorization: boolean;
            tools: components["schemas"]["AllowedToolSchema"][];
            failure: ("ok" | "http_error" | "timeout" | "unreachable" | "address_rejected" | "redirected" | "too_large" | "bad_content_type" | "failed" | "invalid_arguments" | "unknown_tool" | "tool_changed" | "limit_reached" | "asked" | "interrupted") | null;
            created_at: string;
            updated_at: string;
        };
        MemberResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            member: components["schemas"]["MemberSchema"];
        };
        MemberSchema: {
            id: number;
            email: string;
            name: string;
            language: string;
            owner: boolean;
            /** @enum {string} */
            status: "active" | "invited" | "suspended";
            sites: {
                [key: string]: components["schemas"]["Permission"][];
            };
            capacity: number | null;
            created_at: string;
        };
        MentionSchema: {
            site_id: number;
            conversation_id: number;
            note: components["schemas"]["NoteSchema"];
        };
        MentionsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            mentions: components["schemas"]["MentionSchema"][];
        };
        MessageResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            message: components["schemas"]["MessageSchema"];
        };
        MessageSchema: {
            id: number;
            conversation_id: number;
            seq: number;
            /** @enum {string} */
            role: "visitor" | "ai" | "operator" | "system";
            content: string;
            /** @default null */
            image_url: string | null;
            /** @default null */
            file: components["schemas"]["FileSchema"] | null;
            /** @default null */
            sender: components["schemas"]["OperatorRef"] | null;
            /** @default null */
            message_id: string | null;
            /** @default null */
            translation: components["schemas"]["MessageTranslation"] | null;
            /** @default [] */
            sources: components["schemas"]["MessageSource"][];
            /** @default null */
            confirmation: components["schemas"]["ConfirmationSchema"] | null;
            /** @default [] */
            tool_calls: components["schemas"]["ToolCallSchema"][];
            /** @default [] */
            quick_replies: components["schemas"]["QuickReply"][];
            /** @default null */
            cap_reached: string | null;
            /** @default null */
            image_use: string | null;
            /** @default null */
            reply_to: number | null;
            created_at: string;
        };
        MessageSource: {
            title: string;
            /** @default null */
            url: string | null;
        };
        MessageTranslation: {
            lang: string;
            /** @default null */
            content: string | null;
            /**
             * @default done
             * @enum {string}
             */
            status: "done" | "failed" | "unsupported";
            /** @default [] */
            quick_replies: string[];
        };
        MessageWindowQuery: {
            /** @default null */
            before_seq: number | null;
            /** @default 50 */
            limit: number;
        };
        MessagesQuery: {
            /** @default null */
            before_seq: number | null;
            /** @default null */
            after_seq: number | null;
            /** @default 50 */
            limit: number;
        };
        MessagesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            messages: components["schemas"]["MessageSchema"][];
            /** @default null */
            conversation_id: number | null;
            /** @default null */
            mode: ("ai" | "pending" | "operator" | "closed") | null;
        };
        ModeResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            /** @default null */
            queue: components["schemas"]["QueuePlaceSchema"] | null;
        };
        MyAccessResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            permissions: components["schemas"]["Permission"][];
            owner: boolean;
        };
        NewAnswerTestBody: {
            question: string;
            language?: string | null;
            /** @enum {string} */
            expected?: "answer" | "decline" | "handoff";
            must_say?: string[][];
            must_not_say?: string[];
            must_cite?: string[][];
            enabled?: boolean;
            conversation_id?: number | null;
            seq?: number | null;
        };
        NoteBody: {
            conversation_id: number;
            content: string;
            mentions?: number[];
        };
        NoteResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            note: components["schemas"]["NoteSchema"];
        };
        NoteSchema: {
            id: number;
            content: string;
            author: components["schemas"]["OperatorRef"];
            created_at: string;
            /** @default [] */
            mentions: number[];
        };
        NumberedPageQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default 1 */
            page: number;
            /** @default null */
            per_page: number | null;
        };
        OfflineFormBody: {
            enabled?: boolean;
            title?: string;
            intro?: string;
            fields?: components["schemas"]["FieldBody"][];
            replaces_chat?: boolean;
            confirmation?: string;
            label_id?: number | null;
        };
        OfflineFormSchema: {
            enabled: boolean;
            title: string;
            intro: string;
            fields: components["schemas"]["FieldSchema"][];
            replaces_chat: boolean;
            confirmation: string;
            label_id: number | null;
        };
        OfflineMessageBody: {
            site_key: string;
            session_id?: string | null;
            answers?: {
                [key: string]: string | boolean;
            };
            consent?: components["schemas"]["ConsentAnswerBody"] | null;
            team_id?: number | null;
            lang?: string | null;
            message: string;
            message_id?: string | null;
        };
        OfflineMessageResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            confirmation: string;
        };
        OkResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
        };
        OperatorMessageBody: {
            conversation_id: number;
            content?: string;
            image_url?: string | null;
            file_id?: string | null;
            quick_replies?: components["schemas"]["QuickReplyBody"][];
        };
        OperatorMessagesQuery: {
            site_key: string;
            /** @default null */
            session_id: string | null;
            /** @default 0 */
            after_seq: number;
        };
        OperatorRef: {
            id: number;
            name: string;
        };
        OperatorSendTranscriptBody: {
            /** Format: email */
            email: string;
        };
        OrderBody: {
            trigger_ids: number[];
        };
        OwnDetails: {
            session_id: string;
            /** @default null */
            name: string | null;
            /** @default null */
            email: string | null;
            /** @default null */
            phone: string | null;
            /** @default null */
            language: string | null;
        };
        PageQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        Pagination: {
            total: number;
            page: number;
            per_page: number;
            pages: number;
        };
        PasswordBody: {
            current_password: string;
            new_password: string;
            revoke_api_keys?: boolean;
        };
        PeriodSchema: {
            /** Format: date */
            first_day: string;
            /** Format: date */
            last_day: string;
        };
        PermissionsBody: {
            can_chat?: boolean;
            can_view_conversations?: boolean;
            can_manage?: boolean;
        };
        PrechatFormBody: {
            enabled?: boolean;
            title?: string;
            intro?: string;
            fields?: components["schemas"]["FieldBody"][];
        };
        PrechatFormSchema: {
            enabled: boolean;
            title: string;
            intro: string;
            fields: components["schemas"]["FieldSchema"][];
        };
        PreviewResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            token: string;
            expires_at: string;
        };
        ProactiveMessageBody: {
            site_id: number;
            session_id: string;
            content: string;
            quick_replies?: components["schemas"]["QuickReplyBody"][];
        };
        ProfileBody: {
            name?: string | null;
            language?: string | null;
        };
        QueuePlaceSchema: {
            position: number;
            estimated_wait_seconds: number | null;
        };
        QueueQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            label_id: number | null;
            /** @default null */
            team_id: number | null;
            /** @default null */
            language: string | null;
            /** @default null */
            rating: number | null;
            /** @default null */
            search: string | null;
            /** @default pending,active */
            status: string;
            /** @default null */
            operator_id: number | null;
            /** @default null */
            waiting: number | null;
        };
        QueueResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            chats: components["schemas"]["ConversationSchema"][];
            /** @default null */
            next_cursor: string | null;
        };
        QuickReply: {
            label: string;
            /** @default null */
            value: string | null;
            /** @default null */
            url: string | null;
            /** @default false */
            handoff: boolean;
        };
        QuickReplyBody: {
            label: string;
            value?: string | null;
            url?: string | null;
        };
        RatingBody: {
            site_key: string;
            session_id?: string | null;
            score: number;
            comment?: string | null;
            conversation_id?: number | null;
        };
        RatingSchema: {
            conversation_id: number;
            score: number;
            /** @default null */
            comment: string | null;
            /** @default null */
            operator: components["schemas"]["OperatorRef"] | null;
            rated_at: string;
        };
        RatingStatsQuery: {
            /** @default null */
            since: string | null;
        };
        RatingStatsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            count: number;
            average: number | null;
            by_score: {
                [key: string]: number;
            };
        };
        RatingsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            ratings: components["schemas"]["RatingSchema"][];
            /** @default null */
            next_cursor: string | null;
        };
        RatingsSchema: {
            count: number;
            average: number | null;
            by_score: {
                [key: string]: number;
            };
        };
        ReadBody: {
            seq: number;
        };
        ReadMarkSchema: {
            operator: components["schemas"]["OperatorRef"];
            seq: number;
        };
        ReasonSchema: {
            /** @enum {string} */
            kind: "missing" | "forbidden" | "not_cited" | "declined" | "not_declined" | "not_handed_over" | "failed";
            text: string;
        };
        ReplaceEntryBody: {
            question: string;
            answer: string;
            version?: string | null;
        };
        ReplaySchema: {
            conversation_id: number;
            seq: number;
            question: string;
            language: string | null;
            live: components["schemas"]["GivenAnswerSchema"] | null;
            candidate: components["schemas"]["GivenAnswerSchema"] | null;
            changed: boolean | null;
            similarity: number | null;
        };
        ReplaysQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            changed: boolean | null;
        };
        ReplaysResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            replays: components["schemas"]["ReplaySchema"][];
            next_cursor: string | null;
        };
        ReportQuery: {
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            /** @default null */
            site_id: number | null;
            /** @default day */
            group_by: components["schemas"]["GroupBy"];
            /** @default UTC */
            timezone: string;
        };
        ReportResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            period: components["schemas"]["PeriodSchema"];
            previous_period: components["schemas"]["PeriodSchema"];
            timezone: string;
            group_by: components["schemas"]["GroupBy"];
            totals: components["schemas"]["FiguresSchema"];
            previous: components["schemas"]["FiguresSchema"];
            rows: components["schemas"]["ReportRowSchema"][];
        };
        ReportRowSchema: {
            chats: number;
            closed: number;
            handoffs: number;
            handoff_reasons: {
                [key: string]: number;
            };
            requests: number;
            assigned: number;
            waiting: number;
            abandoned: number;
            abandoned_share: number | null;
            ai_replied: number;
            ai_resolved: number;
            ai_resolved_share: number | null;
            first_reply: components["schemas"]["DurationSchema"];
            wait: components["schemas"]["DurationSchema"];
            resolution: components["schemas"]["DurationSchema"];
            ratings: components["schemas"]["RatingsSchema"];
            ai_usage: components["schemas"]["AiUsageSchema"];
            key: string | null;
            name: string | null;
            deleted: boolean;
        };
        ResultsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            verdict: ("right" | "wrong" | "unknown") | null;
        };
        RewriteBody: {
            text: string;
            /** @enum {string} */
            style: "shorter" | "friendlier" | "correct" | "translate";
            language?: string | null;
        };
        RoutingBody: {
            /** @enum {string} */
            routing: "manual" | "round_robin" | "least_busy";
            capacity?: number;
            team_id?: number | null;
            fallbacks?: components["schemas"]["parley__chat__sites__routing_schemas__FallbackBody"][];
        };
        RoutingResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            routing: components["schemas"]["RoutingSchema"];
        };
        RoutingSchema: {
            /** @enum {string} */
            routing: "manual" | "round_robin" | "least_busy";
            capacity: number;
            team_id: number | null;
            fallbacks: components["schemas"]["parley__chat__sites__routing_schemas__FallbackSchema"][];
        };
        RunBody: {
            engine?: ("builtin" | "openai") | null;
            model?: string | null;
            instructions?: string | null;
            ai?: components["schemas"]["AiSettingsBody"] | null;
            fallbacks?: components["schemas"]["parley__chat__sites__settings_schemas__FallbackBody"][] | null;
            pending_changes?: boolean;
            replays?: number;
        };
        RunErrorSchema: {
            code: string;
            message: string;
        };
        RunResultSchema: {
            /** @enum {string} */
            expected: "answer" | "decline" | "handoff";
            must_say: string[][];
            must_not_say: string[];
            must_cite: string[][];
            test_id: number | null;
            question: string;
            language: string | null;
            tested_engine: string;
            candidate: components["schemas"]["GivenAnswerSchema"] | null;
            live: components["schemas"]["GivenAnswerSchema"] | null;
            changed: boolean | null;
        };
        RunResultsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            results: components["schemas"]["RunResultSchema"][];
            next_cursor: string | null;
        };
        RunSummarySchema: {
            candidate: components["schemas"]["TotalsSchema"];
            live: components["schemas"]["TotalsSchema"] | null;
            replays: number;
            changed: number;
        };
        SearchHitSchema: {
            /** @enum {string} */
            kind: "message" | "note" | "visitor";
            id: number;
            conversation: components["schemas"]["HitConversationSchema"];
            /** @default null */
            seq: number | null;
            /** @default null */
            role: ("visitor" | "ai" | "operator" | "system") | null;
            /** @default null */
            author: components["schemas"]["OperatorRef"] | null;
            at: string;
            snippet: components["schemas"]["SnippetSchema"];
        };
        SearchQuery: {
            q: string;
            /** @default null */
            site_id: number | null;
            /** @default messages,notes,visitors */
            in: string;
            /** @default 30 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        SearchResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            hits: components["schemas"]["SearchHitSchema"][];
            /** @default null */
            next_cursor: string | null;
        };
        SectionChangeSchema: {
            /** @enum {string} */
            kind: "added" | "removed" | "changed";
            heading: string[];
            lines: string[];
        };
        SendMessageBody: {
            site_key: string;
            session_id?: string | null;
            message?: string;
            image_url?: string | null;
            file_id?: string | null;
            lang?: string | null;
            message_id?: string | null;
            confirm?: string | null;
            reply_to?: number | null;
            trigger_id?: number | null;
        };
        SendTranscriptBody: {
            site_key: string;
            session_id?: string | null;
            /** Format: email */
            email: string;
            lang?: string | null;
        };
        ShowTriggerBody: {
            site_key: string;
            session_id?: string | null;
            trigger_ids: number[];
            lang?: string | null;
        };
        ShowTriggerResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            trigger: components["schemas"]["ShownTriggerSchema"] | null;
        };
        ShownTriggerSchema: {
            id: number;
            message: string;
            quick_replies: components["schemas"]["QuickReply"][];
        };
        SiteCountsSchema: {
            /** @default 0 */
            pending: number;
            /** @default 0 */
            active: number;
        };
        SiteFormsSchema: {
            consent: components["schemas"]["ConsentFormSchema"] | null;
            departments: components["schemas"]["DepartmentSchema"][];
            prechat: components["schemas"]["PrechatFormSchema"];
            offline: components["schemas"]["OfflineFormSchema"];
        };
        SiteListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            sites: components["schemas"]["SiteSchema"][];
            next_cursor: string | null;
        };
        SiteQueueQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            label_id: number | null;
            /** @default null */
            team_id: number | null;
            /** @default null */
            language: string | null;
            /** @default null */
            rating: number | null;
            /** @default null */
            search: string | null;
            /** @default pending,active */
            status: string;
            /** @default null */
            operator_id: number | null;
            /** @default null */
            waiting: number | null;
            site_id: number;
        };
        SiteResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            site: components["schemas"]["SiteSchema"];
        };
        SiteSchema: {
            id: number;
            name: string;
            site_key: string;
            domains: string[];
            any_origin: boolean;
            language: string;
            page_tracking: boolean;
            page_parameters: string[];
            sound: boolean;
            read_receipts: boolean;
            transcript_email: boolean;
            sends_mail: boolean;
            /** @enum {string} */
            routing: "all" | "manual";
            assignment: components["schemas"]["RoutingSchema"];
            created_at: string;
        };
        SiteTextSchema: {
            key: string;
            original: string;
            translations: {
                [key: string]: components["schemas"]["TextTranslationSchema"];
            };
        };
        SiteTextsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            language: string;
            texts: components["schemas"]["SiteTextSchema"][];
        };
        SnippetSchema: {
            text: string;
            marks: [
                number,
                number
            ][];
        };
        SnoozeBody: {
            /** Format: date-time */
            until: string;
        };
        SourceBody: {
            /** @enum {string} */
            kind: "web_page" | "sitemap" | "crawl" | "file" | "csv";
            name: string;
            url?: string | null;
            max_depth?: number;
            max_pages?: number;
            /** @enum {string} */
            schedule?: "manual" | "hourly" | "daily" | "weekly";
            review?: boolean;
            question_column?: string | null;
            answer_column?: string | null;
        };
        SourceChangeBody: {
            name?: string | null;
            max_depth?: number | null;
            max_pages?: number | null;
            enabled?: boolean | null;
            schedule?: ("manual" | "hourly" | "daily" | "weekly") | null;
            review?: boolean | null;
            question_column?: string | null;
            answer_column?: string | null;
        };
        SourceSchema: {
            question: string;
            answer: string;
        };
        SpentTodayResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            /** Format: date */
            day: string;
            replies: number;
            reply_limit: number | null;
            tokens: number;
            token_limit: number | null;
        };
        SuggestionResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            text: string;
            sources: components["schemas"]["SourceSchema"][];
        };
        SyncErrorSchema: {
            code: string;
            message: string;
        };
        SyncSchema: {
            /** @enum {string} */
            state: "idle" | "waiting" | "running";
            done: number;
            total: number;
            started_at: string | null;
            finished_at: string | null;
            next_at: string | null;
            error: components["schemas"]["SyncErrorSchema"] | null;
        };
        TargetSchema: {
            kind: string;
            id: string;
        };
        TeamBody: {
            name: string;
            site_ids: number[];
            operator_ids?: number[];
        };
        TeamRef: {
            id: number;
            name: string;
        };
        TeamSchema: {
            id: number;
            name: string;
            site_ids: number[];
            operator_ids: number[];
            created_at: string;
            updated_at: string;
        };
        TeamsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            site_id: number | null;
        };
        TeamsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            teams: components["schemas"]["TeamSchema"][];
            next_cursor: string | null;
        };
        TenantSchema: {
            id: number;
            name: string;
        };
        TestRunListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            runs: components["schemas"]["TestRunSchema"][];
            next_cursor: string | null;
        };
        TestRunResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            run: components["schemas"]["TestRunSchema"];
        };
        TestRunSchema: {
            id: number;
            /** @enum {string} */
            state: "waiting" | "running" | "done" | "failed" | "cancelled";
            passed: boolean;
            entries_changed: boolean;
            is_live: boolean;
            engine: string;
            model: string | null;
            instructions: string;
            pending_changes: boolean;
            tested_fallbacks: components["schemas"]["TestedFallbackSchema"][];
            total: number;
            done: number;
            created_at: string;
            created_by: components["schemas"]["OperatorRef"];
            started_at: string | null;
            finished_at: string | null;
            error: components["schemas"]["RunErrorSchema"] | null;
            summary: components["schemas"]["RunSummarySchema"] | null;
        };
        TestedFallbackSchema: {
            id: string;
            engine: string;
            model: string | null;
        };
        TextBody: {
            content: string;
            approved?: boolean;
            original?: string | null;
        };
        TextResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            text: string;
        };
        TextTranslationSchema: {
            approved: components["schemas"]["ApprovedTextSchema"] | null;
            draft: components["schemas"]["DraftTextSchema"] | null;
        };
        TimeRangeBody: {
            /** @enum {string} */
            day: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
            from: string;
            to: string;
        };
        TimeRangeSchema: {
            /** @enum {string} */
            day: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
            from: string;
            to: string;
        };
        ToolBody: {
            authorization?: string | null;
            name: string;
            title: string;
            description: string;
            parameters?: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
            url: string;
            writes?: boolean;
            identified_only?: boolean;
            timeout_seconds?: number;
            enabled?: boolean;
        };
        ToolCallSchema: {
            name: string;
            title: string;
            arguments: string;
            result: string;
            outcome: string;
            /** @default 0 */
            seconds: number;
        };
        ToolChoiceSchema: {
            name: string;
            fingerprint: string;
            title: string;
            writes?: boolean;
            identified_only?: boolean;
        };
        ToolListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            tools: components["schemas"]["ToolSchema"][];
        };
        ToolResponseSchema: {
            /**
             * @default true
             * @constant
             */
            success: true;
            tool: components["schemas"]["ToolSchema"];
            /** @default null */
            secret: string | null;
        };
        ToolResultResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            /** @enum {string} */
            outcome: "ok" | "http_error" | "timeout" | "unreachable" | "address_rejected" | "redirected" | "too_large" | "bad_content_type" | "failed" | "invalid_arguments" | "unknown_tool" | "tool_changed" | "limit_reached" | "asked" | "interrupted";
            status: number | null;
            content: string;
            seconds: number;
        };
        ToolSchema: {
            id: number;
            name: string;
            title: string;
            description: string;
            parameters: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
            url: string;
            writes: boolean;
            identified_only: boolean;
            timeout_seconds: number;
            enabled: boolean;
            has_authorization: boolean;
            created_at: string;
            updated_at: string;
        };
        TotalsSchema: {
            right: number;
            wrong: number;
            unknown: number;
            tokens: number;
            seconds: number;
        };
        TranscriptQuery: {
            site_key: string;
            /** @default null */
            session_id: string | null;
            /** @default null */
            lang: string | null;
        };
        TransferBody: {
            operator_id?: number | null;
            team_id?: number | null;
        };
        TransferCandidateSchema: {
            id: number;
            name: string;
            online: boolean;
            active_chats: number;
            /** @default null */
            notifiable: boolean | null;
        };
        TransferCandidatesQuery: {
            site_id: number;
        };
        TransferCandidatesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            operators: components["schemas"]["TransferCandidateSchema"][];
        };
        TranslateTextsBody: {
            language: string;
            keys?: string[] | null;
        };
        TranslatedTextsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            language: string;
            texts: components["schemas"]["SiteTextSchema"][];
            untranslated: string[];
        };
        TranslationSettingsBody: {
            engines?: ("google" | "libretranslate" | "local")[];
            glossary?: string[];
            daily_characters?: number | null;
        };
        TranslationSettingsSchema: {
            engines: string[];
            glossary: string[];
            daily_characters: number | null;
        };
        TranslationStateSchema: {
            enabled: boolean;
            /** @default null */
            lang: string | null;
            /** @default null */
            operator_lang: string | null;
            /** @default false */
            supported: boolean;
        };
        TriggerBody: {
            name: string;
            message: string;
            enabled?: boolean;
            include_pages?: string[];
            exclude_pages?: string[];
            seconds?: number;
            scroll_percent?: number;
            exit_intent?: boolean;
            /** @enum {string} */
            visitors?: "all" | "new" | "returning";
            /** @enum {string} */
            hours?: "any" | "open" | "closed";
            /** @enum {string} */
            operators?: "any" | "online" | "offline";
            languages?: string[];
            /** @enum {string} */
            frequency?: "visit" | "visitor" | "interval";
            interval_hours?: number;
            quick_replies?: components["schemas"]["QuickReplyBody"][];
        };
        TriggerCountsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            counts: components["schemas"]["TriggerCountsSchema"][];
        };
        TriggerCountsSchema: {
            trigger_id: number;
            /** Format: date */
            day: string;
            shown: number;
            opened: number;
            answered: number;
        };
        TriggerListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            triggers: components["schemas"]["TriggerSchema"][];
        };
        TriggerOpenedBody: {
            site_key: string;
            session_id?: string | null;
            trigger_id: number;
        };
        TriggerResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            trigger: components["schemas"]["TriggerSchema"];
        };
        TriggerSchema: {
            name: string;
            message: string;
            /** @default false */
            enabled: boolean;
            include_pages?: string[];
            exclude_pages?: string[];
            /** @default 0 */
            seconds: number;
            /** @default 0 */
            scroll_percent: number;
            /** @default false */
            exit_intent: boolean;
            /**
             * @default all
             * @enum {string}
             */
            visitors: "all" | "new" | "returning";
            /**
             * @default any
             * @enum {string}
             */
            hours: "any" | "open" | "closed";
            /**
             * @default any
             * @enum {string}
             */
            operators: "any" | "online" | "offline";
            languages?: string[];
            /**
             * @default visit
             * @enum {string}
             */
            frequency: "visit" | "visitor" | "interval";
            /** @default 24 */
            interval_hours: number;
            id: number;
            quick_replies: components["schemas"]["QuickReply"][];
            created_at: string;
            updated_at: string;
        };
        TryMcpToolBody: {
            arguments?: {
                [key: string]: unknown;
            };
            name: string;
            fingerprint: string;
        };
        TryToolBody: {
            arguments?: {
                [key: string]: unknown;
            };
        };
        UndoResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            results: components["schemas"]["ConversationResultSchema"][];
        };
        UpdateMemberBody: {
            name?: string | null;
            suspended?: boolean | null;
            owner?: boolean | null;
            site_ids?: number[] | null;
            permissions?: components["schemas"]["PermissionsBody"] | null;
            capacity?: number | null;
        };
        UpdateSiteBody: {
            name?: string | null;
            domains?: string[] | null;
            any_origin?: boolean | null;
            language?: string | null;
            page_tracking?: boolean | null;
            page_parameters?: string[] | null;
            sound?: boolean | null;
            read_receipts?: boolean | null;
            transcript_email?: boolean | null;
        };
        UpdateTextsBody: {
            language: string;
            texts: {
                [key: string]: components["schemas"]["TextBody"] | null;
            };
        };
        UploadFileQuery: {
            /** @default null */
            site_id: number | null;
        };
        UploadResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            url: string;
            width: number;
            height: number;
        };
        UseCountResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            use_count: number;
        };
        ViewBody: {
            name: string;
            filter: components["schemas"]["ViewFilterBody"];
            /** @enum {string} */
            scope?: "mine" | "site" | "all";
            site_id?: number | null;
        };
        ViewCountSchema: {
            id: number;
            count: number;
            capped: boolean;
        };
        ViewCountsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            counts: components["schemas"]["ViewCountSchema"][];
        };
        ViewFilterBody: {
            status?: string;
            site_id?: number | null;
            label_id?: number | null;
            team_id?: number | null;
            operator_id?: number | null;
            language?: string | null;
            rating?: number | null;
            waiting?: number | null;
            search?: string | null;
        };
        ViewFilterSchema: {
            status: string;
            site_id: number | null;
            label_id: number | null;
            team_id: number | null;
            operator_id: number | null;
            language: string | null;
            rating: number | null;
            waiting: number | null;
            search: string | null;
        };
        ViewResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            view: components["schemas"]["ViewSchema"];
        };
        ViewSchema: {
            id: number;
            name: string;
            /** @enum {string} */
            scope: "mine" | "site" | "all";
            site_id: number | null;
            operator_id: number;
            filter: components["schemas"]["ViewFilterSchema"];
            created_at: string;
            updated_at: string;
        };
        ViewingBody: {
            /** @enum {string} */
            state?: "viewing" | "writing" | "left";
        };
        ViewsResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            views: components["schemas"]["ViewSchema"][];
            next_cursor: string | null;
        };
        VisitorDetailsBody: {
            name?: string | null;
            email?: string | null;
            phone?: string | null;
            info?: {
                [key: string]: string;
            } | null;
        };
        VisitorFormSchema: {
            /** @default [] */
            answers: components["schemas"]["FormAnswerSchema"][];
            /** @default null */
            consent: components["schemas"]["ConsentSchema"] | null;
            /** @default null */
            department: components["schemas"]["TeamRef"] | null;
            /** @default null */
            language: string | null;
            answered_at: string;
        };
        VisitorReadBody: {
            site_key: string;
            session_id?: string | null;
            seq: number;
        };
        VisitorResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            visitor: components["schemas"]["VisitorSchema"];
        };
        VisitorSchema: {
            session_id: string;
            /** @default null */
            name: string | null;
            /** @default null */
            email: string | null;
            /** @default null */
            phone: string | null;
            /** @default {} */
            info: {
                [key: string]: string;
            };
            /** @default null */
            language: string | null;
            /** @default null */
            blocked: ("both" | "ai" | "operator") | null;
            /** @default false */
            verified: boolean;
            /** @default null */
            external_id: string | null;
            /** @default [] */
            verified_fields: ("name" | "email" | "phone")[];
            /** @default {} */
            attributes: {
                [key: string]: string | boolean | number;
            };
            /** @default null */
            form: components["schemas"]["VisitorFormSchema"] | null;
        };
        WidgetBody: {
            site_key: string;
            session_id?: string | null;
        };
        WidgetCodeResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            code: string;
            tag_manager_code: string;
        };
        WidgetMessage: {
            id: number;
            conversation_id: number;
            seq: number;
            /** @enum {string} */
            role: "visitor" | "ai" | "operator" | "system";
            content: string;
            image_url: string | null;
            file: components["schemas"]["FileSchema"] | null;
            sender: components["schemas"]["OperatorRef"] | null;
            message_id: string | null;
            translation: components["schemas"]["MessageTranslation"] | null;
            sources: components["schemas"]["MessageSource"][];
            confirmation: components["schemas"]["ConfirmationSchema"] | null;
            quick_replies: components["schemas"]["QuickReply"][];
            reply_to: number | null;
            created_at: string;
        };
        WidgetMessagesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            messages: components["schemas"]["WidgetMessage"][];
            /** @default null */
            conversation_id: number | null;
            /** @default null */
            mode: ("ai" | "pending" | "operator" | "closed") | null;
            /** @default null */
            queue: components["schemas"]["QueuePlaceSchema"] | null;
        };
        WidgetQuery: {
            site_key: string;
            /** @default null */
            session_id: string | null;
        };
        WidgetTrigger: {
            id: number;
            include_pages: string[];
            exclude_pages: string[];
            seconds: number;
            scroll_percent: number;
            exit_intent: boolean;
            /** @enum {string} */
            visitors: "all" | "new" | "returning";
            languages: string[];
            /** @enum {string} */
            frequency: "visit" | "visitor" | "interval";
            interval_hours: number;
            /** @default null */
            message: string | null;
            /** @default [] */
            quick_replies: components["schemas"]["QuickReply"][];
        };
        WidgetTriggersQuery: {
            site_key: string;
            /** @default null */
            session_id: string | null;
            /** @default null */
            preview: string | null;
        };
        WidgetTriggersResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            triggers: components["schemas"]["WidgetTrigger"][];
        };
        parley__chat__answer_tests__schemas__ExportQuery: {
            /**
             * @default csv
             * @enum {string}
             */
            format: "csv" | "json";
        };
        parley__chat__privacy__schemas__ExportQuery: {
            site_id: number;
            session_id: string;
        };
        parley__chat__reports__schemas__ExportQuery: {
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            /** @default null */
            site_id: number | null;
            /** @default day */
            group_by: components["schemas"]["GroupBy"];
            /** @default UTC */
            timezone: string;
            /**
             * @default csv
             * @enum {string}
             */
            format: "csv" | "json";
        };
        parley__chat__sites__routing_schemas__FallbackBody: {
            team_id?: number | null;
            after_seconds: number;
        };
        parley__chat__sites__routing_schemas__FallbackSchema: {
            team_id: number | null;
            after_seconds: number;
        };
        parley__chat__sites__settings_schemas__FallbackBody: {
            id?: string | null;
            /** @enum {string} */
            engine: "builtin" | "openai";
            model?: string | null;
            base_url?: string | null;
            input_price?: number | null;
            output_price?: number | null;
            api_key?: string | null;
        };
        parley__chat__sites__settings_schemas__FallbackSchema: {
            id: string;
            engine: string;
            model: string | null;
            base_url: string | null;
            input_price: number | null;
            output_price: number | null;
            api_key_set: boolean;
            check: components["schemas"]["EngineCheckSchema"] | null;
        };
        parley__chat__team__schemas__TeamResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            team: components["schemas"]["MemberSchema"][];
            next_cursor: string | null;
        };
        parley__chat__teams__schemas__TeamResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            team: components["schemas"]["TeamSchema"];
        };
        ButtonTextsSchema: {
            language: string;
            open_chat: string;
            load_failed: string;
        };
        HeartbeatResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            expires_in: number;
        };
        OnlineVisitor: {
            site_id: number;
            session_id: string;
            /** @default null */
            page: string | null;
            /** @default null */
            title: string | null;
            /** @default null */
            referrer: string | null;
            /** @default null */
            language: string | null;
            since: string;
            /** @default null */
            conversation_id: number | null;
        };
        OperatorHeartbeatBody: {
            site_ids: number[];
        };
        SetStatusBody: {
            site_id: number;
            online: boolean;
        };
        SetStatusResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            online: boolean;
            /** @default null */
            until: string | null;
        };
        SiteStatus: {
            site_id: number;
            online: boolean;
            /** @default null */
            until: string | null;
        };
        SiteVisitorListQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            site_id: number | null;
        };
        StatusQuery: {
            /** @default null */
            site_id: number | null;
        };
        StatusResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            online: boolean;
            sites: components["schemas"]["SiteStatus"][];
        };
        VisitorHeartbeatBody: {
            page: string;
            title?: string | null;
            referrer?: string | null;
            lang?: string | null;
        };
        VisitorHeartbeatResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            expires_in: number;
            colour: string;
            page_tracking: boolean;
            page_parameters: string[];
            /** @default  */
            triggers: string;
            texts: components["schemas"]["ButtonTextsSchema"];
        };
        VisitorListQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        VisitorListResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            visitors: components["schemas"]["OnlineVisitor"][];
            /** @default null */
            next_cursor: string | null;
            /** @default null */
            widget: components["schemas"]["WidgetSightingSchema"] | null;
        };
        WidgetSightingSchema: {
            /** Format: date-time */
            seen_at: string;
            /** @example https://shop.example.com */
            origin: string;
        };
        DeviceBody: {
            device_id: string;
        };
        DeviceQuery: {
            device_id: string;
        };
        DeviceReceipt: {
            /** @enum {string} */
            platform: "android" | "ios" | "web" | "unknown";
            /** @enum {string} */
            outcome: "sent" | "unregistered" | "refused" | "later";
            status: number;
            code: string;
            message: string;
        };
        DeviceResultSchema: {
            at: string;
            /** @enum {string} */
            outcome: "sent" | "unregistered" | "refused" | "later";
            status: number;
            code: string;
            message: string;
        };
        DeviceSchema: {
            id: string;
            /** @enum {string} */
            kind: "fcm" | "web_push";
            /** @enum {string} */
            platform: "android" | "ios" | "web" | "unknown";
            name: string;
            registered_at: string;
            last_result: components["schemas"]["DeviceResultSchema"] | null;
        };
        DeviceTestResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            result: components["schemas"]["DeviceResultSchema"];
        };
        DevicesResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            devices: components["schemas"]["DeviceSchema"][];
        };
        OperatorStreamQuery: {
            /** @default null */
            last_event_id: string | null;
            /** @default null */
            token: string | null;
        };
        RegisterSubscriptionBody: {
            endpoint: string;
            keys: components["schemas"]["SubscriptionKeysBody"];
            name?: string;
        };
        RegisterSubscriptionResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            device_id: string;
        };
        RegisterTokenBody: {
            token: string;
            /** @enum {string} */
            platform?: "android" | "ios" | "web" | "unknown";
        };
        RemoveSubscriptionBody: {
            endpoint: string;
        };
        RemoveTokenBody: {
            token?: string | null;
        };
        RemoveTokenQuery: {
            /** @default null */
            token: string | null;
        };
        SelfTestResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            /** @enum {string} */
            push: "sent" | "failed" | "off";
            /** @default [] */
            devices: components["schemas"]["DeviceReceipt"][];
        };
        StreamQuery: {
            /** @default null */
            last_event_id: string | null;
        };
        SubscriptionKeyResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            public_key: string | null;
        };
        SubscriptionKeysBody: {
            p256dh: string;
            auth: string;
        };
        TicketResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            ticket: string;
            /** @default 60 */
            expires_in: number;
        };
        PreviewBody: {
            conversation_id: number;
            content: string;
        };
        TranslatePreviewResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            translation: components["schemas"]["MessageTranslation"] | null;
        };
        SetLangBody: {
            conversation_id: number;
            lang: string;
            operator_lang?: string | null;
        };
        ToggleBody: {
            conversation_id: number;
            enabled: boolean;
        };
        TranslationResponse: {
            /**
             * @default true
             * @constant
             */
            success: true;
            translation: components["schemas"]["TranslationSettings"];
        };
        TranslationSettings: {
            conversation_id: number;
            enabled: boolean;
            lang: string | null;
            operator_lang: string | null;
            detected: boolean;
            supported: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getApiKeys: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyListResponse"];
                };
            };
        };
    };
    postApiKeys: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Nightly export"
                 *     }
                 */
                "application/json": components["schemas"]["CreateApiKeyBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedApiKeyResponse"];
                };
            };
        };
    };
    deleteApiKeysId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getAudit: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                site_id?: number | null;
                operator_id?: number | null;
                action?: string | null;
                from?: string | null;
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLogResponse"];
                };
            };
        };
    };
    postAuthChangePassword: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "current_password": "the current password",
                 *       "new_password": "a new, longer password"
                 *     }
                 */
                "application/json": components["schemas"]["PasswordBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postAuthLogin: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "alex@example.com",
                 *       "password": "0f3c…"
                 *     }
                 */
                "application/json": components["schemas"]["LoginBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
        };
    };
    postAuthLogout: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "refresh_token": "0f3c…"
                 *     }
                 */
                "application/json": components["schemas"]["LogoutBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessResponse"];
                };
            };
        };
    };
    postAuthLogoutAll: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "revoke_api_keys": true
                 *     }
                 */
                "application/json": components["schemas"]["EndSessionsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getAuthMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountResponse"];
                };
            };
        };
    };
    putAuthMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Alex Moreau",
                 *       "language": "fr"
                 *     }
                 */
                "application/json": components["schemas"]["ProfileBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountResponse"];
                };
            };
        };
    };
    postAuthRefresh: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "refresh_token": "0f3c…"
                 *     }
                 */
                "application/json": components["schemas"]["RefreshBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
        };
    };
    getCannedReplies: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                site_id?: number | null;
                q?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CannedRepliesResponse"];
                };
            };
        };
    };
    postCannedReplies: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "shortcut": "hi",
                 *       "text": "Hi {{visitor.name|there}}, this is {{operator.name}}.",
                 *       "scope": "site",
                 *       "site_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["CannedReplyBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CannedReplyResponse"];
                };
            };
        };
    };
    putCannedRepliesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "shortcut": "hi",
                 *       "text": "Hi {{visitor.name|there}}, this is {{operator.name}}.",
                 *       "scope": "site",
                 *       "site_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["CannedReplyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CannedReplyResponse"];
                };
            };
        };
    };
    deleteCannedRepliesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postCannedRepliesIdUse: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UseCountResponse"];
                };
            };
        };
    };
    getChatBlockStatus: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlockStatusResponse"];
                };
            };
        };
    };
    getChatConfig: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
                lang?: string | null;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigResponse"];
                };
            };
        };
    };
    postChatContact: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "name": "Jane"
                 *     }
                 */
                "application/json": components["schemas"]["ContactBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatEmail: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "email": "jane@example.com"
                 *     }
                 */
                "application/json": components["schemas"]["EmailBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatEndSession: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef"
                 *     }
                 */
                "application/json": components["schemas"]["WidgetBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getChatEvents: {
        parameters: {
            query: {
                last_event_id?: string | null;
                site_key: string;
                session_id?: string;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
        };
    };
    postChatForm: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "answers": {
                 *         "name": "Jane",
                 *         "email": "jane@example.com",
                 *         "order_number": "4711"
                 *       },
                 *       "consent": {
                 *         "given": true,
                 *         "version": 1
                 *       },
                 *       "lang": "en"
                 *     }
                 */
                "application/json": components["schemas"]["FormAnswersBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatHandoff: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef"
                 *     }
                 */
                "application/json": components["schemas"]["WidgetBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModeResponse"];
                };
            };
        };
    };
    postChatHeartbeat: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef",
                 *       "session_id": "a-secret-the-widget-made",
                 *       "page": "https://shop.example/cart",
                 *       "referrer": "https://search.example/",
                 *       "lang": "de-AT"
                 *     }
                 */
                "application/json": components["schemas"]["VisitorHeartbeatBody"] & {
                    site_key: string;
                    session_id?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorHeartbeatResponse"];
                };
            };
        };
    };
    getChatHistory: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
                before_seq?: number | null;
                limit?: number;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HistoryResponse"];
                };
            };
        };
    };
    postChatIdentify: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsImV4cCI6MTc5NTk1MzYwMH0.c2lnbmF0dXJl"
                 *     }
                 */
                "application/json": components["schemas"]["IdentifyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentifyResponse"];
                };
            };
        };
    };
    postChatOfflineForm: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "answers": {
                 *         "name": "Jane",
                 *         "email": "jane@example.com",
                 *         "order_number": "4711"
                 *       },
                 *       "consent": {
                 *         "given": true,
                 *         "version": 1
                 *       },
                 *       "lang": "en",
                 *       "message": "When does my order arrive?"
                 *     }
                 */
                "application/json": components["schemas"]["OfflineMessageBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OfflineMessageResponse"];
                };
            };
        };
    };
    getChatOperatorMessages: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
                after_seq?: number;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WidgetMessagesResponse"];
                };
            };
        };
    };
    getChatPendingProactive: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WidgetMessagesResponse"];
                };
            };
        };
    };
    postChatRate: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "score": 5
                 *     }
                 */
                "application/json": components["schemas"]["RatingBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatRead: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "seq": 2
                 *     }
                 */
                "application/json": components["schemas"]["VisitorReadBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatStream: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "message": "What are your opening hours?"
                 *     }
                 */
                "application/json": components["schemas"]["SendMessageBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
        };
    };
    getChatTranscript: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
                lang?: string | null;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": unknown;
                };
            };
        };
    };
    postChatTranscriptEmail: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "email": "jane@example.com"
                 *     }
                 */
                "application/json": components["schemas"]["SendTranscriptBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getChatTriggers: {
        parameters: {
            query: {
                site_key: string;
                session_id?: string | null;
                preview?: string | null;
            };
            header?: {
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WidgetTriggersResponse"];
                };
            };
        };
    };
    postChatTriggersOpened: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "trigger_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["TriggerOpenedBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatTriggersShow: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "trigger_ids": [
                 *         1
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["ShowTriggerBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShowTriggerResponse"];
                };
            };
        };
    };
    postChatTyping: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef"
                 *     }
                 */
                "application/json": components["schemas"]["WidgetBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postChatUploadFile: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    site_key: string;
                    session_id?: string;
                    duration?: number;
                    file: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileResponse"];
                };
            };
        };
    };
    postChatUploadImage: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
                "X-Parley-Session"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    site_key: string;
                    session_id?: string;
                    image: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadResponse"];
                };
            };
        };
    };
    getConversationsIdMessages: {
        parameters: {
            query?: {
                before_seq?: number | null;
                after_seq?: number | null;
                limit?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagesResponse"];
                };
            };
        };
    };
    postInvitationsAccept: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "0f3c…",
                 *       "password": "0f3c…",
                 *       "name": "Alex"
                 *     }
                 */
                "application/json": components["schemas"]["InvitationBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
        };
    };
    getLabels: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                site_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabelsResponse"];
                };
            };
        };
    };
    postLabels: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Billing",
                 *       "colour": "#2563eb",
                 *       "scope": "site",
                 *       "site_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["LabelBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabelResponse"];
                };
            };
        };
    };
    putLabelsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Invoices",
                 *       "colour": "#16a34a"
                 *     }
                 */
                "application/json": components["schemas"]["LabelChangeBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabelResponse"];
                };
            };
        };
    };
    deleteLabelsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postOperatorAcceptId: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    getOperatorActiveChats: {
        parameters: {
            query: {
                limit?: number;
                cursor?: string | null;
                label_id?: number | null;
                team_id?: number | null;
                language?: string | null;
                rating?: number | null;
                search?: string | null;
                status?: string;
                operator_id?: number | null;
                waiting?: number | null;
                site_id: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueResponse"];
                };
            };
        };
    };
    getOperatorAllActiveChats: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                label_id?: number | null;
                team_id?: number | null;
                language?: string | null;
                rating?: number | null;
                search?: string | null;
                status?: string;
                operator_id?: number | null;
                waiting?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AllQueuesResponse"];
                };
            };
        };
    };
    getOperatorAllChatCounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CountsResponse"];
                };
            };
        };
    };
    getOperatorAllOnlineVisitors: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorListResponse"];
                };
            };
        };
    };
    getOperatorBlocked: {
        parameters: {
            query: {
                limit?: number;
                cursor?: string | null;
                site_id: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlockedVisitorsResponse"];
                };
            };
        };
    };
    postOperatorCloseId: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    getOperatorConversationId: {
        parameters: {
            query?: {
                before_seq?: number | null;
                limit?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetailResponse"];
                };
            };
        };
    };
    postOperatorConversationIdBlock: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "blocked": true,
                 *       "block_type": "both"
                 *     }
                 */
                "application/json": components["schemas"]["BlockBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorResponse"];
                };
            };
        };
    };
    postOperatorConversationIdCopilotRewrite: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "text": "Your parcel it arrive tomorow.",
                 *       "style": "correct"
                 *     }
                 */
                "application/json": components["schemas"]["RewriteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextResponse"];
                };
            };
        };
    };
    postOperatorConversationIdCopilotSuggestion: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuggestionResponse"];
                };
            };
        };
    };
    postOperatorConversationIdCopilotSummary: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextResponse"];
                };
            };
        };
    };
    putOperatorConversationIdLabels: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "labels": [
                 *         3,
                 *         5
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["LabelsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    postOperatorConversationIdMentionsRead: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postOperatorConversationIdRead: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "seq": 3
                 *     }
                 */
                "application/json": components["schemas"]["ReadBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    postOperatorConversationIdReopen: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    putOperatorConversationIdSnooze: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "until": "2027-01-04T08:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["SnoozeBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    deleteOperatorConversationIdSnooze: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    postOperatorConversationIdTranscriptEmail: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "jane@example.com"
                 *     }
                 */
                "application/json": components["schemas"]["OperatorSendTranscriptBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postOperatorConversationIdViewing: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "state": "viewing"
                 *     }
                 */
                "application/json": components["schemas"]["ViewingBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    putOperatorConversationIdVisitor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Jane"
                 *     }
                 */
                "application/json": components["schemas"]["VisitorDetailsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    postOperatorConversationIdVisitor: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Jane"
                 *     }
                 */
                "application/json": components["schemas"]["VisitorDetailsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    patchOperatorConversationIdVisitor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Jane"
                 *     }
                 */
                "application/json": components["schemas"]["VisitorDetailsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    postOperatorConversationsBulk: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "action": "assign",
                 *       "conversation_ids": [
                 *         50,
                 *         51
                 *       ],
                 *       "operator_id": 7
                 *     }
                 */
                "application/json": components["schemas"]["BulkBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResponse"];
                };
            };
        };
    };
    postOperatorConversationsBulkActionIdUndo: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                action_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UndoResponse"];
                };
            };
        };
    };
    postOperatorFcmToken: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "fR3kx0:APA91bE",
                 *       "platform": "android"
                 *     }
                 */
                "application/json": components["schemas"]["RegisterTokenBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessResponse"];
                };
            };
        };
    };
    deleteOperatorFcmToken: {
        parameters: {
            query?: {
                token?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "fR3kx0:APA91bE"
                 *     }
                 */
                "application/json": components["schemas"]["RemoveTokenBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessResponse"];
                };
            };
        };
    };
    postOperatorFcmTokenTest: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SelfTestResponse"];
                };
            };
        };
    };
    postOperatorHeartbeat: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_ids": [
                 *         1,
                 *         2
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["OperatorHeartbeatBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeartbeatResponse"];
                };
            };
        };
    };
    getOperatorMentions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MentionsResponse"];
                };
            };
        };
    };
    postOperatorMessage: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50,
                 *       "content": "Hi, this is Alex."
                 *     }
                 */
                "application/json": components["schemas"]["OperatorMessageBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageResponse"];
                };
            };
        };
    };
    postOperatorNote: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50,
                 *       "content": "VIP customer"
                 *     }
                 */
                "application/json": components["schemas"]["NoteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NoteResponse"];
                };
            };
        };
    };
    getOperatorOnlineVisitors: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                site_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorListResponse"];
                };
            };
        };
    };
    getOperatorOperators: {
        parameters: {
            query: {
                site_id: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferCandidatesResponse"];
                };
            };
        };
    };
    postOperatorProactiveMessage: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_id": 1,
                 *       "session_id": "sess_00000000000000000000000000000000",
                 *       "content": "Need help?"
                 *     }
                 */
                "application/json": components["schemas"]["ProactiveMessageBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageResponse"];
                };
            };
        };
    };
    getOperatorPushDevice: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DevicesResponse"];
                };
            };
        };
    };
    deleteOperatorPushDevice: {
        parameters: {
            query: {
                device_id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessResponse"];
                };
            };
        };
    };
    postOperatorPushDeviceTest: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "device_id": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                 *     }
                 */
                "application/json": components["schemas"]["DeviceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceTestResponse"];
                };
            };
        };
    };
    postOperatorPushSubscription: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "endpoint": "https://fcm.googleapis.com/fcm/send/cV1Zx0",
                 *       "keys": {
                 *         "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                 *         "auth": "BTBZMqHH6r4Tts7J_aSIgg"
                 *       },
                 *       "name": "Chrome, Android"
                 *     }
                 */
                "application/json": components["schemas"]["RegisterSubscriptionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegisterSubscriptionResponse"];
                };
            };
        };
    };
    deleteOperatorPushSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "endpoint": "https://fcm.googleapis.com/fcm/send/cV1Zx0"
                 *     }
                 */
                "application/json": components["schemas"]["RemoveSubscriptionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuccessResponse"];
                };
            };
        };
    };
    getOperatorPushSubscriptionKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionKeyResponse"];
                };
            };
        };
    };
    postOperatorReleaseId: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    getOperatorSearch: {
        parameters: {
            query: {
                q: string;
                site_id?: number | null;
                in?: string;
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResponse"];
                };
            };
        };
    };
    postOperatorSetStatus: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_id": 1,
                 *       "online": true
                 *     }
                 */
                "application/json": components["schemas"]["SetStatusBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetStatusResponse"];
                };
            };
        };
    };
    getOperatorStatus: {
        parameters: {
            query?: {
                site_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusResponse"];
                };
            };
        };
    };
    getOperatorStream: {
        parameters: {
            query?: {
                last_event_id?: string | null;
                token?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
        };
    };
    postOperatorStreamTicket: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TicketResponse"];
                };
            };
        };
    };
    postOperatorTransferId: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "operator_id": 7
                 *     }
                 */
                "application/json": components["schemas"]["TransferBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationResponse"];
                };
            };
        };
    };
    postOperatorTranslationPreview: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50,
                 *       "content": "Hello, how can I help?"
                 *     }
                 */
                "application/json": components["schemas"]["PreviewBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranslatePreviewResponse"];
                };
            };
        };
    };
    postOperatorTranslationSetLang: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50,
                 *       "lang": "de"
                 *     }
                 */
                "application/json": components["schemas"]["SetLangBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranslationResponse"];
                };
            };
        };
    };
    postOperatorTranslationToggle: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50,
                 *       "enabled": true
                 *     }
                 */
                "application/json": components["schemas"]["ToggleBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranslationResponse"];
                };
            };
        };
    };
    postOperatorTyping: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50
                 *     }
                 */
                "application/json": components["schemas"]["ConversationRef"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postOperatorUploadFile: {
        parameters: {
            query?: {
                site_id?: number | null;
            };
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    duration?: number;
                    file: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileResponse"];
                };
            };
        };
    };
    postOperatorUploadImage: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    image: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadResponse"];
                };
            };
        };
    };
    postOperatorVisitorErase: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "site_id": 1,
                 *       "session_id": "sess_00000000000000000000000000000000"
                 *     }
                 */
                "application/json": components["schemas"]["EraseBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EraseResponse"];
                };
            };
        };
    };
    getOperatorVisitorExport: {
        parameters: {
            query: {
                site_id: number;
                session_id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportResponse"];
                };
            };
        };
    };
    getReports: {
        parameters: {
            query: {
                from: string;
                to: string;
                site_id?: number | null;
                group_by?: components["schemas"]["GroupBy"];
                timezone?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportResponse"];
                };
            };
        };
    };
    getReportsExport: {
        parameters: {
            query: {
                from: string;
                to: string;
                site_id?: number | null;
                group_by?: components["schemas"]["GroupBy"];
                timezone?: string;
                format?: "csv" | "json";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                    "application/json": components["schemas"]["ReportResponse"];
                };
            };
        };
    };
    getSites: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteListResponse"];
                };
            };
        };
    };
    postSites: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Corner shop",
                 *       "domains": [
                 *         "shop.example.com"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["CreateSiteBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteResponse"];
                };
            };
        };
    };
    getSitesSiteId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteResponse"];
                };
            };
        };
    };
    putSitesSiteId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Corner shop",
                 *       "domains": [
                 *         "shop.example.com"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UpdateSiteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteResponse"];
                };
            };
        };
    };
    deleteSitesSiteId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatbotResponse"];
                };
            };
        };
    };
    putSitesSiteIdChatbot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Robin",
                 *       "welcome": "Hello! What are you looking for?",
                 *       "operator_timeout": 300,
                 *       "hours": {
                 *         "time_zone": "Europe/Berlin",
                 *         "weekly": [
                 *           {
                 *             "day": "monday",
                 *             "from": "09:00",
                 *             "to": "18:00"
                 *           }
                 *         ],
                 *         "closed": [
                 *           "2026-12-25"
                 *         ]
                 *       },
                 *       "translation": {
                 *         "glossary": [
                 *           "Corner Shop"
                 *         ]
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ChatbotBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatbotResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotCheck: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "base_url": "https://ai.example.com/v1",
                 *       "api_key": "sk-1",
                 *       "model": "small-1"
                 *     }
                 */
                "application/json": components["schemas"]["CheckBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EngineCheckResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotKnowledge: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeListResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotKnowledge: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "question": "When are you open?",
                 *       "answer": "Monday to Friday, nine to six."
                 *     }
                 */
                "application/json": components["schemas"]["KnowledgeEntryBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeEntryResponse"];
                };
            };
        };
    };
    putSitesSiteIdChatbotKnowledgeEntryId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                entry_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "question": "When are you open?",
                 *       "answer": "Monday to Friday, nine to six."
                 *     }
                 */
                "application/json": components["schemas"]["ReplaceEntryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeEntryResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdChatbotKnowledgeEntryId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                entry_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotMcpServers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServerListResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotMcpServers: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "shop",
                 *       "url": "https://shop.example.com/mcp",
                 *       "authorization": "Bearer 9f2c"
                 *     }
                 */
                "application/json": components["schemas"]["McpServerBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServerResponse"];
                };
            };
        };
    };
    putSitesSiteIdChatbotMcpServersServerId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                server_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "shop",
                 *       "url": "https://shop.example.com/mcp",
                 *       "authorization": "Bearer 9f2c"
                 *     }
                 */
                "application/json": components["schemas"]["McpServerBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServerResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdChatbotMcpServersServerId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                server_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotMcpServersServerIdCheck: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                server_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpCheckResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotMcpServersServerIdSecret: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                server_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServerResponse"];
                };
            };
        };
    };
    putSitesSiteIdChatbotMcpServersServerIdTools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                server_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tools": [
                 *         {
                 *           "name": "order_status",
                 *           "fingerprint": "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
                 *           "writes": false
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["AllowedToolsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpServerResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotMcpServersServerIdTry: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                server_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "order_status",
                 *       "fingerprint": "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
                 *       "arguments": {
                 *         "order_id": "A-1042"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["TryMcpToolBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolResultResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTests: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerTestListResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotTests: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "question": "When are you open?",
                 *       "language": "en",
                 *       "must_say": [
                 *         [
                 *           "9:00",
                 *           "nine"
                 *         ],
                 *         [
                 *           "18:00",
                 *           "six"
                 *         ]
                 *       ],
                 *       "must_cite": [
                 *         [
                 *           "When are you open?",
                 *           "https://shop.example.com/contact"
                 *         ]
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewAnswerTestBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerTestResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTestsExport: {
        parameters: {
            query?: {
                format?: "csv" | "json";
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                    "application/json": components["schemas"]["AnswerTestListResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotTestsGenerate: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GeneratedResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotTestsImport: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tests": [
                 *         {
                 *           "question": "When are you open?",
                 *           "language": "en",
                 *           "must_say": [
                 *             [
                 *               "9:00",
                 *               "nine"
                 *             ],
                 *             [
                 *               "18:00",
                 *               "six"
                 *             ]
                 *           ],
                 *           "must_cite": [
                 *             [
                 *               "When are you open?",
                 *               "https://shop.example.com/contact"
                 *             ]
                 *           ]
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["ImportBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportedResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotTestsRun: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "instructions": "Be brief."
                 *     }
                 */
                "application/json": components["schemas"]["RunBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestRunResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTestsRuns: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestRunListResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTestsRunsRunId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestRunResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotTestsRunsRunIdCancel: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestRunResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTestsRunsRunIdReplays: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                changed?: boolean | null;
            };
            header?: never;
            path: {
                site_id: number;
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplaysResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTestsRunsRunIdResults: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                verdict?: ("right" | "wrong" | "unknown") | null;
            };
            header?: never;
            path: {
                site_id: number;
                run_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunResultsResponse"];
                };
            };
        };
    };
    putSitesSiteIdChatbotTestsTestId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                test_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "question": "When are you open?",
                 *       "language": "en",
                 *       "must_say": [
                 *         [
                 *           "9:00",
                 *           "nine"
                 *         ],
                 *         [
                 *           "18:00",
                 *           "six"
                 *         ]
                 *       ],
                 *       "must_cite": [
                 *         [
                 *           "When are you open?",
                 *           "https://shop.example.com/contact"
                 *         ]
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["AnswerTestBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnswerTestResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdChatbotTestsTestId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                test_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotTools: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolListResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotTools: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "order_status",
                 *       "parameters": {
                 *         "type": "object",
                 *         "properties": {
                 *           "order_id": {
                 *             "type": "string"
                 *           }
                 *         },
                 *         "required": [
                 *           "order_id"
                 *         ]
                 *       },
                 *       "url": "https://shop.example.com/api/orders/{order_id}",
                 *       "writes": false
                 *     }
                 */
                "application/json": components["schemas"]["ToolBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolResponseSchema"];
                };
            };
        };
    };
    putSitesSiteIdChatbotToolsToolId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                tool_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "order_status",
                 *       "parameters": {
                 *         "type": "object",
                 *         "properties": {
                 *           "order_id": {
                 *             "type": "string"
                 *           }
                 *         },
                 *         "required": [
                 *           "order_id"
                 *         ]
                 *       },
                 *       "url": "https://shop.example.com/api/orders/{order_id}",
                 *       "writes": false
                 *     }
                 */
                "application/json": components["schemas"]["ToolBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolResponseSchema"];
                };
            };
        };
    };
    deleteSitesSiteIdChatbotToolsToolId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                tool_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postSitesSiteIdChatbotToolsToolIdSecret: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                tool_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolResponseSchema"];
                };
            };
        };
    };
    postSitesSiteIdChatbotToolsToolIdTry: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                tool_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "arguments": {
                 *         "order_id": "A-1042"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["TryToolBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ToolResultResponse"];
                };
            };
        };
    };
    getSitesSiteIdChatbotUsage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpentTodayResponse"];
                };
            };
        };
    };
    getSitesSiteIdCitedPassages: {
        parameters: {
            query: {
                conversation_id: number;
                seq: number;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CitedPassagesResponse"];
                };
            };
        };
    };
    getSitesSiteIdConversations: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                label_id?: number | null;
                team_id?: number | null;
                language?: string | null;
                rating?: number | null;
                search?: string | null;
                page?: number;
                per_page?: number | null;
                status?: string | null;
                since?: string | null;
                until?: string | null;
                operator_id?: number | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArchiveResponse"];
                };
            };
        };
    };
    getSitesSiteIdCopilot: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CopilotResponse"];
                };
            };
        };
    };
    getSitesSiteIdCorrections: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CorrectionListResponse"];
                };
            };
        };
    };
    postSitesSiteIdCorrections: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "conversation_id": 50,
                 *       "seq": 2,
                 *       "right_answer": "Returns take 30 days."
                 *     }
                 */
                "application/json": components["schemas"]["CorrectionBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CorrectionResponse"];
                };
            };
        };
    };
    postSitesSiteIdCorrectionsCorrectionIdApply: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                correction_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "question": "How long can I return an item?",
                 *       "answer": "Within 30 days."
                 *     }
                 */
                "application/json": components["schemas"]["ApplyCorrectionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CorrectionResponse"];
                };
            };
        };
    };
    getSitesSiteIdCorrectionsCorrectionIdConversations: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
                correction_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AffectedConversationsResponse"];
                };
            };
        };
    };
    getSitesSiteIdForms: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormsResponse"];
                };
            };
        };
    };
    putSitesSiteIdForms: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "consent": {
                 *         "text": "I agree to the [privacy policy](https://example.com/privacy).",
                 *         "required": true
                 *       },
                 *       "prechat": {
                 *         "enabled": true,
                 *         "fields": [
                 *           {
                 *             "key": "email",
                 *             "type": "email",
                 *             "required": true
                 *           },
                 *           {
                 *             "key": "order_number",
                 *             "type": "text",
                 *             "label": "Order number",
                 *             "max_length": 20
                 *           }
                 *         ]
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["FormsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormsResponse"];
                };
            };
        };
    };
    getSitesSiteIdIdentitySecrets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentitySecretListResponse"];
                };
            };
        };
    };
    postSitesSiteIdIdentitySecrets: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Shop server"
                 *     }
                 */
                "application/json": components["schemas"]["CreateIdentitySecretBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedIdentitySecretResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdIdentitySecretsSecretId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                secret_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getSitesSiteIdKnowledgeGaps: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                state?: "open" | "answered" | "dismissed";
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GapListResponse"];
                };
            };
        };
    };
    getSitesSiteIdKnowledgeGapsGapId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                gap_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GapDetailsResponse"];
                };
            };
        };
    };
    putSitesSiteIdKnowledgeGapsGapId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                gap_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "state": "dismissed"
                 *     }
                 */
                "application/json": components["schemas"]["GapStateBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GapResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeGapsGapIdEntry: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                gap_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "question": "Do you ship to Austria?",
                 *       "answer": "Yes, within three days."
                 *     }
                 */
                "application/json": components["schemas"]["GapEntryBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeEntryResponse"];
                };
            };
        };
    };
    getSitesSiteIdKnowledgeSources: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeSourcesResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeSources: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "kind": "crawl",
                 *       "name": "Help pages",
                 *       "url": "https://www.example.com/help/",
                 *       "max_pages": 50
                 *     }
                 */
                "application/json": components["schemas"]["SourceBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeSourceResponse"];
                };
            };
        };
    };
    getSitesSiteIdKnowledgeSourcesSourceId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeSourceResponse"];
                };
            };
        };
    };
    putSitesSiteIdKnowledgeSourcesSourceId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Help",
                 *       "enabled": true,
                 *       "schedule": "daily",
                 *       "review": false
                 *     }
                 */
                "application/json": components["schemas"]["SourceChangeBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeSourceResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdKnowledgeSourcesSourceId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeSourcesSourceIdApprove: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovedResponse"];
                };
            };
        };
    };
    getSitesSiteIdKnowledgeSourcesSourceIdDocuments: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                status?: ("waiting" | "ready" | "failed" | "skipped") | null;
                pending?: boolean;
            };
            header?: never;
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeDocumentsResponse"];
                };
            };
        };
    };
    putSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                source_id: number;
                document_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "enabled": true
                 *     }
                 */
                "application/json": components["schemas"]["DocumentBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeDocumentResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                source_id: number;
                document_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentIdApprove: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                source_id: number;
                document_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovedResponse"];
                };
            };
        };
    };
    getSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentIdChanges: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                source_id: number;
                document_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DocumentChangesResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeSourcesSourceIdDocumentsDocumentIdReject: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                source_id: number;
                document_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeDocumentResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeSourcesSourceIdSync: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeSourceResponse"];
                };
            };
        };
    };
    postSitesSiteIdKnowledgeSourcesSourceIdUploadFile: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                source_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    duration?: number;
                    file: string;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KnowledgeDocumentResponse"];
                };
            };
        };
    };
    getSitesSiteIdLeads: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                page?: number;
                per_page?: number | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeadsResponse"];
                };
            };
        };
    };
    getSitesSiteIdMyAccess: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyAccessResponse"];
                };
            };
        };
    };
    getSitesSiteIdRatings: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RatingsResponse"];
                };
            };
        };
    };
    getSitesSiteIdRatingsStats: {
        parameters: {
            query?: {
                since?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RatingStatsResponse"];
                };
            };
        };
    };
    postSitesSiteIdRotateKey: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteResponse"];
                };
            };
        };
    };
    putSitesSiteIdRouting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "routing": "round_robin",
                 *       "capacity": 4,
                 *       "fallbacks": [
                 *         {
                 *           "after_seconds": 60
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["RoutingBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoutingResponse"];
                };
            };
        };
    };
    getSitesSiteIdTeam: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["parley__chat__team__schemas__TeamResponse"];
                };
            };
        };
    };
    putSitesSiteIdTeamOperatorId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                operator_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "can_chat": true,
                 *       "can_view_conversations": true,
                 *       "can_manage": false
                 *     }
                 */
                "application/json": components["schemas"]["PermissionsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdTeamOperatorId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                operator_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getSitesSiteIdTexts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteTextsResponse"];
                };
            };
        };
    };
    putSitesSiteIdTexts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "language": "de",
                 *       "texts": {
                 *         "welcome": {
                 *           "content": "Hallo! Was suchen Sie?",
                 *           "approved": true
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["UpdateTextsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteTextsResponse"];
                };
            };
        };
    };
    postSitesSiteIdTextsTranslate: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "language": "de"
                 *     }
                 */
                "application/json": components["schemas"]["TranslateTextsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranslatedTextsResponse"];
                };
            };
        };
    };
    getSitesSiteIdTriggerCounts: {
        parameters: {
            query?: {
                days?: number;
            };
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriggerCountsResponse"];
                };
            };
        };
    };
    putSitesSiteIdTriggerOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "trigger_ids": [
                 *         2,
                 *         1
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["OrderBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriggerListResponse"];
                };
            };
        };
    };
    getSitesSiteIdTriggers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriggerListResponse"];
                };
            };
        };
    };
    postSitesSiteIdTriggers: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Pricing",
                 *       "message": "Questions about our plans? Just ask.",
                 *       "enabled": true,
                 *       "include_pages": [
                 *         "/pricing*"
                 *       ],
                 *       "seconds": 20
                 *     }
                 */
                "application/json": components["schemas"]["TriggerBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriggerResponse"];
                };
            };
        };
    };
    putSitesSiteIdTriggersTriggerId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                trigger_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Pricing",
                 *       "message": "Questions about our plans? Just ask.",
                 *       "enabled": true,
                 *       "include_pages": [
                 *         "/pricing*"
                 *       ],
                 *       "seconds": 20
                 *     }
                 */
                "application/json": components["schemas"]["TriggerBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriggerResponse"];
                };
            };
        };
    };
    deleteSitesSiteIdTriggersTriggerId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
                trigger_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postSitesSiteIdTriggersTriggerIdPreview: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                site_id: number;
                trigger_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreviewResponse"];
                };
            };
        };
    };
    getSitesSiteIdWidgetCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                site_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WidgetCodeResponse"];
                };
            };
        };
    };
    getTeam: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["parley__chat__team__schemas__TeamResponse"];
                };
            };
        };
    };
    postTeam: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "sam@example.com",
                 *       "name": "Sam",
                 *       "site_ids": [
                 *         1
                 *       ],
                 *       "permissions": {
                 *         "can_chat": true,
                 *         "can_view_conversations": true,
                 *         "can_manage": false
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["CreateMemberBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedMemberResponse"];
                };
            };
        };
    };
    getTeamId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberResponse"];
                };
            };
        };
    };
    putTeamId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "suspended": true
                 *     }
                 */
                "application/json": components["schemas"]["UpdateMemberBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberResponse"];
                };
            };
        };
    };
    deleteTeamId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    postTeamIdInvitation: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationResponse"];
                };
            };
        };
    };
    getTeams: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                site_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamsResponse"];
                };
            };
        };
    };
    postTeams: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Billing",
                 *       "site_ids": [
                 *         1
                 *       ],
                 *       "operator_ids": [
                 *         7
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["TeamBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["parley__chat__teams__schemas__TeamResponse"];
                };
            };
        };
    };
    putTeamsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Billing",
                 *       "site_ids": [
                 *         1
                 *       ],
                 *       "operator_ids": [
                 *         7
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["TeamBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["parley__chat__teams__schemas__TeamResponse"];
                };
            };
        };
    };
    deleteTeamsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
    getViews: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewsResponse"];
                };
            };
        };
    };
    postViews: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Waits for five minutes",
                 *       "filter": {
                 *         "status": "pending",
                 *         "waiting": 300
                 *       },
                 *       "scope": "site",
                 *       "site_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["ViewBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewResponse"];
                };
            };
        };
    };
    getViewsCounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewCountsResponse"];
                };
            };
        };
    };
    putViewsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Waits for five minutes",
                 *       "filter": {
                 *         "status": "pending",
                 *         "waiting": 300
                 *       },
                 *       "scope": "site",
                 *       "site_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["ViewBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewResponse"];
                };
            };
        };
    };
    deleteViewsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OkResponse"];
                };
            };
        };
    };
}
