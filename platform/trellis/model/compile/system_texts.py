"""Translations of the texts that the platform itself gives to every configuration; layers may say otherwise."""

from __future__ import annotations

from collections.abc import Mapping

_FIELDS = {
    "tags": "标签",
    "id": "编号",
    "created_at": "创建时间",
    "created_by": "创建人",
    "updated_at": "更新时间",
    "updated_by": "更新人",
    "deleted_at": "删除时间",
    "deleted_by": "删除人",
    "version": "版本",
    "position": "顺序",
    "pipeline": "流程",
    "stage": "阶段",
    "stage_type": "阶段类型",
    "stage_since": "进入阶段时间",
    "phase": "阶段",
    "phase_type": "阶段类型",
    "phase_since": "进入阶段时间",
    "status": "状态",
    "status_type": "状态类型",
    "status_since": "进入状态时间",
    "is_stuck": "停滞",
    "probability": "概率",
    "checklist": "检查清单",
    "forecast_category": "预测类别",
    "converted_at": "转换时间",
    "owner_since": "负责人变更时间",
    "returns_at": "回收到公海时间",
    "previous_owner": "前负责人",
    "locked_until": "锁定至",
}
_FORECASTS = {
    "pipeline": "管道",
    "best_case": "最佳情况",
    "commit": "承诺",
    "closed": "已关闭",
    "omitted": "不计入",
}
_SLA_STATES = {"running": "计时中", "warned": "即将超时", "paused": "已暂停", "met": "已达成", "breached": "已超时"}
_STAGE_TYPES = {"open": "进行中", "won": "赢单", "lost": "输单", "done": "已完成", "cancelled": "已取消"}

SYSTEM_TEXTS: Mapping[str, Mapping[str, str]] = {
    **{f"system.fields.{key}.label": {"zh-Hans": text} for key, text in _FIELDS.items()},
    **{f"system.stage_types.{key}.label": {"zh-Hans": text} for key, text in _STAGE_TYPES.items()},
    **{f"system.forecasts.{key}.label": {"zh-Hans": text} for key, text in _FORECASTS.items()},
    **{f"system.sla_states.{key}.label": {"zh-Hans": text} for key, text in _SLA_STATES.items()},
    "system.views.all.label": {"zh-Hans": "全部"},
    "system.form.other.label": {"zh-Hans": "其他"},
    "system.reports.kind.label": {"zh-Hans": "类别"},
    "system.form.details.label": {"zh-Hans": "详情"},
}
