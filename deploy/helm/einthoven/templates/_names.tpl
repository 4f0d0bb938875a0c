{{- define "einthoven.labels" -}}
{{ include "einthoven.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "einthoven.selector" -}}
app.kubernetes.io/name: einthoven
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "einthoven.name" -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Several servers only where what they share is elsewhere. */ -}}
{{- define "einthoven.shared" -}}
{{- if and .Values.database.secret .Values.bucket.secret }}yes{{ else if or .Values.database.secret .Values.bucket.secret }}{{ fail "set both database.secret and bucket.secret, or neither: replicas that share a log must share the files too" }}{{ end -}}
{{- end }}
