"""Addresses of the pages; login, sign-up and settings are accounts' own."""

from django.urls import path

from hydroml.entrypoints.web.pages import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("projects", views.projects, name="projects"),
    path("projects/<uuid:project_id>", views.project, name="project"),
    path("projects/<uuid:project_id>/data", views.project, name="project-data"),
    path("projects/<uuid:project_id>/import", views.import_files, name="import"),
    path("projects/<uuid:project_id>/studio", views.sessions, name="sessions"),
    path("projects/<uuid:project_id>/recipes", views.recipes, name="recipes"),
    path("projects/<uuid:project_id>/trash", views.trash, name="trash"),
    path("projects/<uuid:project_id>/sql", views.sql, name="sql"),
    path("projects/<uuid:project_id>/experiments", views.experiments, name="experiments"),
    path("projects/<uuid:project_id>/experiments/new", views.wizard, name="wizard"),
    path("projects/<uuid:project_id>/suites", views.suites, name="suites"),
    path("projects/<uuid:project_id>/suites/new", views.new_suite, name="new-suite"),
    path("projects/<uuid:project_id>/models", views.project_models, name="project-models"),
    path("projects/<uuid:project_id>/members", views.members, name="members"),
    path("models", views.models, name="models"),
    path("models/<uuid:model_id>", views.model, name="model"),
    path("sources/<uuid:source_id>", views.source, name="source"),
    path("studio/<uuid:session_id>", views.studio, name="studio"),
    path("recipes/<uuid:recipe_id>", views.recipe, name="recipe"),
    path("runs/compare", views.compare_runs, name="compare-runs"),
    path("runs/<uuid:run_id>", views.run, name="run"),
    path("suites/<uuid:suite_id>", views.suite, name="suite"),
    path("gallery", views.gallery, name="gallery"),
    path("gallery/<uuid:publication_id>", views.publication, name="publication"),
    path("reference/formulas", views.formulas, name="formulas"),
    path("jobs", views.jobs, name="jobs"),
    path("jobs/<uuid:job_id>", views.job, name="job"),
]
