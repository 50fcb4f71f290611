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
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Answer: {
            /**
             * @default true
             * @constant
             */
            success: true;
        };
        Failure: {
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
        LoginAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            token: string;
            expires_in: number;
            refresh_token: string;
            user: components["schemas"]["User"];
        };
        LoginBody: {
            email: string;
            password: string;
        };
        LogoutBody: {
            refresh_token?: string | null;
        };
        /** @enum {string} */
        Permission: "can_chat" | "can_view_conversations" | "can_manage";
        RefreshBody: {
            refresh_token: string;
        };
        User: {
            id: number;
            name: string;
            email: string;
            language: string;
            owner: boolean;
            sites: {
                [key: string]: components["schemas"]["Permission"][];
            };
        };
        AccountAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            user: components["schemas"]["AccountView"];
        };
        AccountView: {
            id: number;
            email: string;
            name: string;
            language: string;
            owner: boolean;
            tenant: components["schemas"]["TenantView"];
            sites: {
                [key: string]: components["schemas"]["Permission"][];
            };
        };
        AiBody: {
            base_url?: string | null;
            api_key?: string | null;
            temperature?: number | null;
            seconds?: number | null;
            answer_tokens?: number | null;
            daily_tokens?: number | null;
        };
        AiView: {
            base_url: string | null;
            api_key_set: boolean;
            temperature: number | null;
            seconds: number | null;
            answer_tokens: number | null;
            daily_tokens: number | null;
        };
        AllChatsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            chats: components["schemas"]["ConversationView"][];
            /** @default null */
            next_cursor: string | null;
            current_user_id: number;
        };
        ArchiveAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversations: components["schemas"]["ConversationView"][];
            /** @default null */
            next_cursor: string | null;
            pagination: components["schemas"]["Pagination"];
        };
        ArchiveQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default 1 */
            page: number;
            /** @default null */
            per_page: number | null;
            /** @default null */
            status: string | null;
            /** @default null */
            search: string | null;
            /** @default null */
            since: string | null;
            /** @default null */
            until: string | null;
            /** @default null */
            operator_id: number | null;
        };
        AuditAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            entries: components["schemas"]["parley__chat__audit__handlers__EntryView"][];
            next_cursor: string | null;
        };
        AuditQuery: {
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
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        Block: {
            blocked: boolean;
            /** @enum {string} */
            block_type?: "both" | "ai" | "operator";
        };
        BlockStatusAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            blocked: boolean;
            /** @default null */
            block_type: ("both" | "ai" | "operator") | null;
        };
        BlockedAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            visitors: components["schemas"]["BlockedVisitor"][];
            /** @default null */
            next_cursor: string | null;
        };
        BlockedVisitor: {
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
            site_id: number;
            /** @default null */
            blocked_at: string | null;
        };
        ChatbotAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            chatbot: components["schemas"]["ChatbotView"];
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
            offline_message?: string | null;
            private_push?: boolean | null;
            hours?: components["schemas"]["HoursBody"] | null;
            translation?: components["schemas"]["TranslationBody"] | null;
            ai?: components["schemas"]["AiBody"] | null;
        };
        ChatbotView: {
            name: string;
            welcome: string;
            colours: components["schemas"]["ColoursView"];
            /** @enum {string} */
            engine: "builtin" | "openai";
            model: string | null;
            instructions: string;
            operator_timeout: number;
            /** @enum {string} */
            on_timeout: "ai" | "queue";
            /** @enum {string} */
            routing: "all" | "manual";
            offline_message: string;
            private_push: boolean;
            hours: components["schemas"]["HoursView"] | null;
            translation: components["schemas"]["TranslationChoiceView"];
            ai: components["schemas"]["AiView"];
        };
        ChatsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            chats: components["schemas"]["ConversationView"][];
            /** @default null */
            next_cursor: string | null;
        };
        ColleagueView: {
            id: number;
            name: string;
            online: boolean;
            active_chats: number;
        };
        ColoursBody: {
            primary?: string | null;
            background?: string | null;
        };
        ColoursView: {
            primary: string;
            background: string;
        };
        ConfigAnswer: {
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
        };
        ConversationAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation: components["schemas"]["ConversationView"];
        };
        ConversationDetail: {
            id: number;
            site_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            visitor: components["schemas"]["VisitorView"];
            /** @default null */
            operator: components["schemas"]["Person"] | null;
            /** @default null */
            last_message: components["schemas"]["LastMessage"] | null;
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
            previous_id: number | null;
            /** @default null */
            rating: number | null;
            created_at: string;
            updated_at: string;
            /** @default 0 */
            version: number;
            messages: components["schemas"]["MessageView"][];
            notes: components["schemas"]["NoteView"][];
            translation: components["schemas"]["TranslationView"];
            history: components["schemas"]["HistoryView"][];
            reads: components["schemas"]["ReadMark"][];
            previous: components["schemas"]["ConversationView"][];
        };
        ConversationDetailAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation: components["schemas"]["ConversationDetail"];
        };
        ConversationView: {
            id: number;
            site_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
            visitor: components["schemas"]["VisitorView"];
            /** @default null */
            operator: components["schemas"]["Person"] | null;
            /** @default null */
            last_message: components["schemas"]["LastMessage"] | null;
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
            previous_id: number | null;
            /** @default null */
            rating: number | null;
            created_at: string;
            updated_at: string;
            /** @default 0 */
            version: number;
        };
        CountsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            pending: number;
            active: number;
            sites: {
                [key: string]: components["schemas"]["CountsView"];
            };
        };
        CountsView: {
            /** @default 0 */
            pending: number;
            /** @default 0 */
            active: number;
        };
        Details: {
            name?: string | null;
            email?: string | null;
            phone?: string | null;
            info?: {
                [key: string]: string;
            } | null;
        };
        Done: {
            /**
             * @default true
             * @constant
             */
            success: true;
        };
        EntriesAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            knowledge: components["schemas"]["parley__chat__knowledge__handlers__EntryView"][];
            next_cursor: string | null;
        };
        EntryAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            entry: components["schemas"]["parley__chat__knowledge__handlers__EntryView"];
        };
        EntryBody: {
            question: string;
            answer: string;
        };
        EraseAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            erased: components["schemas"]["ErasedView"];
        };
        EraseBody: {
            site_id: number;
            session_id: string;
        };
        ErasedView: {
            conversations: number;
            messages: number;
            notes: number;
            images: number;
        };
        ExportAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            export: components["schemas"]["ExportView"];
        };
        ExportQuery: {
            site_id: number;
            session_id: string;
        };
        ExportView: {
            site_id: number;
            session_id: string;
            exported_at: string;
            /** @default null */
            visitor: components["schemas"]["ExportedVisitor"] | null;
            conversations: components["schemas"]["ExportedConversation"][];
            images: string[];
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
            visitor: components["schemas"]["VisitorView"];
            /** @default null */
            operator: components["schemas"]["Person"] | null;
            /** @default null */
            last_message: components["schemas"]["LastMessage"] | null;
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
            previous_id: number | null;
            /** @default null */
            rating: number | null;
            created_at: string;
            updated_at: string;
            /** @default 0 */
            version: number;
            /** @default null */
            rating_comment: string | null;
            /** @default null */
            rated_at: string | null;
            translation: components["schemas"]["TranslationView"];
            history: components["schemas"]["HistoryView"][];
            messages: components["schemas"]["MessageView"][];
            notes: components["schemas"]["NoteView"][];
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
            /** @default null */
            blocked_at: string | null;
            /** @default null */
            lead_at: string | null;
        };
        FromWidget: {
            site_key: string;
            session_id: string;
        };
        HistoryAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            messages: components["schemas"]["MessageView"][];
            /** @default null */
            conversation_id: number | null;
            /** @default null */
            mode: ("ai" | "pending" | "operator" | "closed") | null;
            /** @default null */
            operator: string | null;
            /** @default 0 */
            operator_read_seq: number;
            visitor: components["schemas"]["VisitorView"];
        };
        HistoryQuery: {
            site_key: string;
            session_id: string;
            /** @default null */
            before_seq: number | null;
            /** @default 50 */
            limit: number;
        };
        HistoryView: {
            at: string;
            action: string;
            /** @default null */
            by: components["schemas"]["Person"] | null;
            /** @default null */
            to: components["schemas"]["Person"] | null;
        };
        HoursBody: {
            time_zone: string;
            weekly?: components["schemas"]["SpanBody"][];
            closed?: string[];
        };
        HoursView: {
            time_zone: string;
            weekly: components["schemas"]["SpanView"][];
            closed: string[];
        };
        InConversation: {
            conversation_id: number;
        };
        InvitationAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            invitation: components["schemas"]["InvitationView"];
        };
        InvitationView: {
            token: string;
            link: string;
            expires_at: string;
        };
        KeyBody: {
            name: string;
        };
        KeyView: {
            id: number;
            name: string;
            prefix: string;
            created_at: string;
            last_used_at: string | null;
        };
        KeysAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            api_keys: components["schemas"]["KeyView"][];
            next_cursor: string | null;
        };
        LastMessage: {
            seq: number;
            /** @enum {string} */
            role: "visitor" | "ai" | "operator" | "system";
            preview: string;
            created_at: string;
        };
        Lead: {
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
            site_id: number;
            /** @default null */
            lead_at: string | null;
        };
        LeadsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            leads: components["schemas"]["Lead"][];
            /** @default null */
            next_cursor: string | null;
            pagination: components["schemas"]["Pagination"];
        };
        LeaveContact: {
            site_key: string;
            session_id: string;
            name?: string | null;
            email?: string | null;
            phone?: string | null;
        };
        LeaveEmail: {
            site_key: string;
            session_id: string;
            email: string;
            name?: string | null;
        };
        MemberAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            member: components["schemas"]["MemberView"];
        };
        MemberBody: {
            name?: string | null;
            suspended?: boolean | null;
            owner?: boolean | null;
            site_ids?: number[] | null;
            permissions?: components["schemas"]["Permissions"] | null;
        };
        MemberView: {
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
            created_at: string;
        };
        MessageAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            message: components["schemas"]["MessageView"];
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
        };
        MessageView: {
            id: number;
            conversation_id: number;
            seq: number;
            /** @enum {string} */
            role: "visitor" | "ai" | "operator" | "system";
            content: string;
            /** @default null */
            image_url: string | null;
            /** @default null */
            sender: components["schemas"]["Person"] | null;
            /** @default null */
            message_id: string | null;
            /** @default null */
            translation: components["schemas"]["MessageTranslation"] | null;
            created_at: string;
        };
        MessageWindow: {
            /** @default null */
            before_seq: number | null;
            /** @default 50 */
            limit: number;
        };
        MessagesAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            messages: components["schemas"]["MessageView"][];
            /** @default null */
            conversation_id: number | null;
            /** @default null */
            mode: ("ai" | "pending" | "operator" | "closed") | null;
        };
        MessagesQuery: {
            /** @default null */
            before_seq: number | null;
            /** @default null */
            after_seq: number | null;
            /** @default 50 */
            limit: number;
        };
        ModeAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            conversation_id: number;
            /** @enum {string} */
            mode: "ai" | "pending" | "operator" | "closed";
        };
        MyAccessAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            permissions: components["schemas"]["Permission"][];
            owner: boolean;
        };
        NewKeyAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            api_key: components["schemas"]["KeyView"];
            key: string;
        };
        NewMemberAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            member: components["schemas"]["MemberView"];
            invitation: components["schemas"]["InvitationView"] | null;
        };
        NewMemberBody: {
            email: string;
            name: string;
            password?: string | null;
            site_ids?: number[];
            permissions?: components["schemas"]["Permissions"];
            owner?: boolean;
            language?: string;
        };
        NewSiteBody: {
            name: string;
            domains?: string[];
            any_origin?: boolean;
            language?: string;
        };
        NoteAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            note: components["schemas"]["NoteView"];
        };
        NoteView: {
            id: number;
            content: string;
            author: components["schemas"]["Person"];
            created_at: string;
        };
        NumberedQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default 1 */
            page: number;
            /** @default null */
            per_page: number | null;
        };
        OperatorMessagesQuery: {
            site_key: string;
            session_id: string;
            /** @default 0 */
            after_seq: number;
        };
        OperatorsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            operators: components["schemas"]["ColleagueView"][];
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
        };
        Permissions: {
            can_chat?: boolean;
            can_view_conversations?: boolean;
            can_manage?: boolean;
        };
        Person: {
            id: number;
            name: string;
        };
        ProfileBody: {
            name?: string | null;
            language?: string | null;
        };
        QueueQuery: {
            /** @default pending,active */
            status: string;
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        Rate: {
            site_key: string;
            session_id: string;
            score: number;
            comment?: string | null;
        };
        RatedConversation: {
            conversation_id: number;
            score: number;
            /** @default null */
            comment: string | null;
            /** @default null */
            operator: components["schemas"]["Person"] | null;
            rated_at: string;
        };
        RatingStatsAnswer: {
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
        RatingsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            ratings: components["schemas"]["RatedConversation"][];
            /** @default null */
            next_cursor: string | null;
        };
        ReachOut: {
            site_id: number;
            session_id: string;
            content: string;
        };
        ReadMark: {
            operator: components["schemas"]["Person"];
            seq: number;
        };
        ReadSeq: {
            site_key: string;
            session_id: string;
            seq: number;
        };
        ReadUpTo: {
            seq: number;
        };
        Say: {
            site_key: string;
            session_id: string;
            message?: string;
            image_url?: string | null;
            lang?: string | null;
            message_id?: string | null;
        };
        SendMessage: {
            conversation_id: number;
            content?: string;
            image_url?: string | null;
        };
        SiteAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            site: components["schemas"]["SiteView"];
        };
        SiteBody: {
            name?: string | null;
            domains?: string[] | null;
            any_origin?: boolean | null;
            language?: string | null;
        };
        SitePageQuery: {
            site_id: number;
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        SiteQuery: {
            site_id: number;
        };
        SiteQueueQuery: {
            /** @default pending,active */
            status: string;
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            site_id: number;
        };
        SiteView: {
            id: number;
            name: string;
            site_key: string;
            domains: string[];
            any_origin: boolean;
            language: string;
            /** @enum {string} */
            routing: "all" | "manual";
            created_at: string;
        };
        SitesAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            sites: components["schemas"]["SiteView"][];
            next_cursor: string | null;
        };
        SpanBody: {
            /** @enum {string} */
            day: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
            from: string;
            to: string;
        };
        SpanView: {
            /** @enum {string} */
            day: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
            from: string;
            to: string;
        };
        StatsQuery: {
            /** @default null */
            since: string | null;
        };
        TargetView: {
            kind: string;
            id: string;
        };
        TeamAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            team: components["schemas"]["MemberView"][];
            next_cursor: string | null;
        };
        TenantView: {
            id: number;
            name: string;
        };
        TransferTo: {
            operator_id: number;
        };
        TranslationBody: {
            engines?: ("google" | "libretranslate" | "local")[];
            glossary?: string[];
            daily_characters?: number | null;
        };
        TranslationChoiceView: {
            engines: string[];
            glossary: string[];
            daily_characters: number | null;
        };
        TranslationView: {
            enabled: boolean;
            /** @default null */
            lang: string | null;
            /** @default null */
            operator_lang: string | null;
            /** @default false */
            supported: boolean;
        };
        UploadAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            url: string;
            width: number;
            height: number;
        };
        VisitorAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            visitor: components["schemas"]["VisitorView"];
        };
        VisitorView: {
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
        };
        WhoView: {
            id: number | null;
            name: string;
        };
        WidgetCodeAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            code: string;
        };
        WidgetQuery: {
            site_key: string;
            session_id: string;
        };
        WriteNote: {
            conversation_id: number;
            content: string;
        };
        parley__chat__audit__handlers__EntryView: {
            id: number;
            at: string;
            operator: components["schemas"]["WhoView"];
            action: string;
            target: components["schemas"]["TargetView"];
            site_id: number | null;
            address: string;
            details: {
                [key: string]: unknown;
            };
        };
        parley__chat__common_fields__PageQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        parley__chat__conversations__query_handlers__PageQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        parley__chat__knowledge__handlers__EntryView: {
            id: number;
            question: string;
            answer: string;
        };
        HeartbeatAnswer: {
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
        PageQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
        };
        SetStatusAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            online: boolean;
            /** @default null */
            until: string | null;
        };
        SetStatusBody: {
            site_id: number;
            online: boolean;
        };
        SiteStatus: {
            site_id: number;
            online: boolean;
            /** @default null */
            until: string | null;
        };
        SiteVisitorsQuery: {
            /** @default 50 */
            limit: number;
            /** @default null */
            cursor: string | null;
            /** @default null */
            site_id: number | null;
        };
        StatusAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            online: boolean;
            sites: components["schemas"]["SiteStatus"][];
        };
        StatusQuery: {
            /** @default null */
            site_id: number | null;
        };
        VisitorHeartbeatBody: {
            page: string;
            title?: string | null;
            referrer?: string | null;
            lang?: string | null;
        };
        VisitorsAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            visitors: components["schemas"]["OnlineVisitor"][];
            /** @default null */
            next_cursor: string | null;
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
        OperatorStreamQuery: {
            /** @default null */
            last_event_id: string | null;
            /** @default null */
            token: string | null;
        };
        PushTried: {
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
        RegisterToken: {
            token: string;
            /** @enum {string} */
            platform?: "android" | "ios" | "web" | "unknown";
        };
        RemoveToken: {
            token?: string | null;
        };
        RemoveTokenQuery: {
            /** @default null */
            token: string | null;
        };
        StreamQuery: {
            /** @default null */
            last_event_id: string | null;
        };
        TicketSold: {
            /**
             * @default true
             * @constant
             */
            success: true;
            ticket: string;
            /** @default 60 */
            expires_in: number;
        };
        SetLangRequest: {
            conversation_id: number;
            lang: string;
            operator_lang?: string | null;
        };
        ToggleRequest: {
            conversation_id: number;
            enabled: boolean;
        };
        TranslationAnswer: {
            /**
             * @default true
             * @constant
             */
            success: true;
            translation: components["schemas"]["TranslationShown"];
        };
        TranslationShown: {
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
                    "application/json": components["schemas"]["KeysAnswer"];
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
                "application/json": components["schemas"]["KeyBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKeyAnswer"];
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
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    getAudit: {
        parameters: {
            query?: {
                site_id?: number | null;
                operator_id?: number | null;
                action?: string | null;
                from?: string | null;
                to?: string | null;
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
                    "application/json": components["schemas"]["AuditAnswer"];
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
                 *       "current_password": "the one until now",
                 *       "new_password": "a longer one from now on"
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
                    "application/json": components["schemas"]["Done"];
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
                    "application/json": components["schemas"]["LoginAnswer"];
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
                    "application/json": components["schemas"]["Answer"];
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
                    "application/json": components["schemas"]["AccountAnswer"];
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
                    "application/json": components["schemas"]["AccountAnswer"];
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
                    "application/json": components["schemas"]["LoginAnswer"];
                };
            };
        };
    };
    getChatBlockStatus: {
        parameters: {
            query: {
                site_key: string;
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
                    "application/json": components["schemas"]["BlockStatusAnswer"];
                };
            };
        };
    };
    getChatConfig: {
        parameters: {
            query: {
                site_key: string;
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
                    "application/json": components["schemas"]["ConfigAnswer"];
                };
            };
        };
    };
    postChatContact: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "name": "Jane"
                 *     }
                 */
                "application/json": components["schemas"]["LeaveContact"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    postChatEmail: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "email": "jane@example.com"
                 *     }
                 */
                "application/json": components["schemas"]["LeaveEmail"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    getChatEvents: {
        parameters: {
            query: {
                last_event_id?: string | null;
                site_key: string;
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
                    "text/event-stream": unknown;
                };
            };
        };
    };
    postChatHandoff: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef"
                 *     }
                 */
                "application/json": components["schemas"]["FromWidget"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModeAnswer"];
                };
            };
        };
    };
    postChatHeartbeat: {
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
                 *       "site_key": "pk_0123456789abcdef",
                 *       "session_id": "a-secret-the-widget-made",
                 *       "page": "https://shop.example/cart",
                 *       "referrer": "https://search.example/",
                 *       "lang": "de-AT"
                 *     }
                 */
                "application/json": components["schemas"]["VisitorHeartbeatBody"] & {
                    site_key: string;
                    session_id: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeartbeatAnswer"];
                };
            };
        };
    };
    getChatHistory: {
        parameters: {
            query: {
                site_key: string;
                session_id: string;
                before_seq?: number | null;
                limit?: number;
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
                    "application/json": components["schemas"]["HistoryAnswer"];
                };
            };
        };
    };
    getChatOperatorMessages: {
        parameters: {
            query: {
                site_key: string;
                session_id: string;
                after_seq?: number;
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
                    "application/json": components["schemas"]["MessagesAnswer"];
                };
            };
        };
    };
    getChatPendingProactive: {
        parameters: {
            query: {
                site_key: string;
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
                    "application/json": components["schemas"]["MessagesAnswer"];
                };
            };
        };
    };
    postChatRate: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "score": 5
                 *     }
                 */
                "application/json": components["schemas"]["Rate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    postChatRead: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "seq": 2
                 *     }
                 */
                "application/json": components["schemas"]["ReadSeq"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    postChatStream: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef",
                 *       "message": "What are your opening hours?"
                 *     }
                 */
                "application/json": components["schemas"]["Say"];
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
    postChatTyping: {
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
                 *       "site_key": "pk_0123456789abcdef01234567",
                 *       "session_id": "0123456789abcdef0123456789abcdef"
                 *     }
                 */
                "application/json": components["schemas"]["FromWidget"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    postChatUploadImage: {
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
                    site_key: string;
                    session_id: string;
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
                    "application/json": components["schemas"]["UploadAnswer"];
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
                    "application/json": components["schemas"]["MessagesAnswer"];
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
                    "application/json": components["schemas"]["LoginAnswer"];
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
                    "application/json": components["schemas"]["ConversationAnswer"];
                };
            };
        };
    };
    getOperatorActiveChats: {
        parameters: {
            query: {
                status?: string;
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
                    "application/json": components["schemas"]["ChatsAnswer"];
                };
            };
        };
    };
    getOperatorAllActiveChats: {
        parameters: {
            query?: {
                status?: string;
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
                    "application/json": components["schemas"]["AllChatsAnswer"];
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
                    "application/json": components["schemas"]["CountsAnswer"];
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
                    "application/json": components["schemas"]["VisitorsAnswer"];
                };
            };
        };
    };
    getOperatorBlocked: {
        parameters: {
            query: {
                site_id: number;
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
                    "application/json": components["schemas"]["BlockedAnswer"];
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
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                    "application/json": components["schemas"]["ConversationDetailAnswer"];
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
                "application/json": components["schemas"]["Block"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorAnswer"];
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
                "application/json": components["schemas"]["ReadUpTo"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                "application/json": components["schemas"]["Details"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                "application/json": components["schemas"]["Details"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                "application/json": components["schemas"]["Details"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                "application/json": components["schemas"]["RegisterToken"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
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
                "application/json": components["schemas"]["RemoveToken"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
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
                    "application/json": components["schemas"]["PushTried"];
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
                    "application/json": components["schemas"]["HeartbeatAnswer"];
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
                "application/json": components["schemas"]["SendMessage"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAnswer"];
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
                "application/json": components["schemas"]["WriteNote"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NoteAnswer"];
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
                    "application/json": components["schemas"]["VisitorsAnswer"];
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
                    "application/json": components["schemas"]["OperatorsAnswer"];
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
                "application/json": components["schemas"]["ReachOut"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAnswer"];
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
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                    "application/json": components["schemas"]["SetStatusAnswer"];
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
                    "application/json": components["schemas"]["StatusAnswer"];
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
                    "application/json": components["schemas"]["TicketSold"];
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
                "application/json": components["schemas"]["TransferTo"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationAnswer"];
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
                "application/json": components["schemas"]["SetLangRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranslationAnswer"];
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
                "application/json": components["schemas"]["ToggleRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TranslationAnswer"];
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
                "application/json": components["schemas"]["InConversation"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
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
                    "application/json": components["schemas"]["UploadAnswer"];
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
                    "application/json": components["schemas"]["EraseAnswer"];
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
                    "application/json": components["schemas"]["ExportAnswer"];
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
                    "application/json": components["schemas"]["SitesAnswer"];
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
                "application/json": components["schemas"]["NewSiteBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteAnswer"];
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
                    "application/json": components["schemas"]["SiteAnswer"];
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
                "application/json": components["schemas"]["SiteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteAnswer"];
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
                    "application/json": components["schemas"]["Done"];
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
                    "application/json": components["schemas"]["ChatbotAnswer"];
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
                    "application/json": components["schemas"]["ChatbotAnswer"];
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
                    "application/json": components["schemas"]["EntriesAnswer"];
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
                "application/json": components["schemas"]["EntryBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryAnswer"];
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
                "application/json": components["schemas"]["EntryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryAnswer"];
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
                    "application/json": components["schemas"]["Done"];
                };
            };
        };
    };
    getSitesSiteIdConversations: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string | null;
                page?: number;
                per_page?: number | null;
                status?: string | null;
                search?: string | null;
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
                    "application/json": components["schemas"]["ArchiveAnswer"];
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
                    "application/json": components["schemas"]["LeadsAnswer"];
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
                    "application/json": components["schemas"]["MyAccessAnswer"];
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
                    "application/json": components["schemas"]["RatingsAnswer"];
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
                    "application/json": components["schemas"]["RatingStatsAnswer"];
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
                    "application/json": components["schemas"]["SiteAnswer"];
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
                    "application/json": components["schemas"]["TeamAnswer"];
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
                "application/json": components["schemas"]["Permissions"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberAnswer"];
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
                    "application/json": components["schemas"]["Done"];
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
                    "application/json": components["schemas"]["WidgetCodeAnswer"];
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
                    "application/json": components["schemas"]["TeamAnswer"];
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
                "application/json": components["schemas"]["NewMemberBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewMemberAnswer"];
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
                    "application/json": components["schemas"]["MemberAnswer"];
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
                "application/json": components["schemas"]["MemberBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberAnswer"];
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
                    "application/json": components["schemas"]["Done"];
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
                    "application/json": components["schemas"]["InvitationAnswer"];
                };
            };
        };
    };
}
