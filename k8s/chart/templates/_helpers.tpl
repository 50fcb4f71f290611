{{/* Names and addresses that the values decide. The arguments are the root and the service's name. */}}

{{- define "parley.tag" -}}
{{- $root := index . 0 }}{{- $own := index $root.Values (index . 1) }}
{{- $own.tag | default $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end }}

{{- define "parley.image" -}}
{{- $root := index . 0 }}{{- $service := index . 1 }}{{- $own := index $root.Values $service }}
{{- with $root.Values.image.registry }}{{ . }}/{{ end }}{{ $own.repository | default (printf "parley/%s" $service) }}:{{ include "parley.tag" . }}{{ with $own.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* An existing Job cannot be changed, so each image has a Job of its own. A name has at most 63 characters. */}}
{{- define "parley.schemaJob" -}}
{{- $own := index (index . 0).Values (index . 1) }}
{{- $name := printf "parley-%s-schema-%s" (index . 1) (include "parley.tag" . | lower | replace "_" "-") }}
{{- if $own.digest }}
{{- printf "%s-%s" ($name | trunc 54 | trimSuffix "-" | trimSuffix ".") ($own.digest | trimPrefix "sha256:" | trunc 8) }}
{{- else }}
{{- $name | trunc 63 | trimSuffix "-" | trimSuffix "." }}
{{- end }}
{{- end }}

{{- define "parley.checksum" -}}
{{- $root := index . 0 }}
{{- printf "%s%s" (include "parley.config.common" $root) (include (printf "parley.config.%s" (index . 1)) $root) | sha256sum }}
{{- end }}

{{- define "parley.host" -}}
{{- get (urlParse (.Values.publicUrl | default "https://parley.example.com")) "hostname" }}
{{- end }}
